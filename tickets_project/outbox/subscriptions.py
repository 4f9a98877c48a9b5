"""The subscription table: which handler hears which message.

The table itself stands in the project; OUTBOX_SUBSCRIPTIONS names it, as ROOT_URLCONF names the URLs.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from tickets_project.outbox.messages import Message
from tickets_project.outbox.retries import RetryPolicy

M = TypeVar("M", bound=Message)

Recording = Callable[[], None]
"""What an external handler returns: database work that commits together with the delivered mark."""


@dataclass(frozen=True, slots=True)
class Subscription(Generic[M]):
    """One handler of one message type. The key is stored with each delivery: it never changes.

    - A transactional handler (the default) runs in the transaction that marks the delivery; it makes no network call.
    - An `external` handler runs with no transaction open and returns the Recording of what came of it, or None.
    - `ordered`: deliveries of one aggregate run one at a time in publish order; a parked one holds back the later ones.
    - `urgent`: somebody waits for it. While there is such work, it gets most of what the dispatchers can do.
    - `replayable=False`: a replay leaves it out unless forced.
    - Several deliveries of one handler commit together, in the order of their aggregates, so that two dispatchers never
      wait for each other in a circle. A handler that locks what another field of the message names says so in
      `locks_by`; one that locks several rows, or rows that no field names, says `together=False` and commits alone.
    """

    message: type[M]
    key: str
    handler: Callable[[M], Recording | None]
    external: bool = field(default=False, kw_only=True)
    ordered: bool = field(default=False, kw_only=True)
    urgent: bool = field(default=False, kw_only=True)
    replayable: bool = field(default=True, kw_only=True)
    together: bool = field(default=True, kw_only=True)
    locks_by: str = field(default="", kw_only=True)
    retry: RetryPolicy = field(default=RetryPolicy(), kw_only=True)


class Subscriptions:
    """The whole table: the modules that declare messages, and who hears them."""

    def __init__(self, *subscriptions: Subscription[Any], declared_in: tuple[ModuleType, ...]) -> None:
        self._subscriptions = subscriptions
        self.declared = [message for module in declared_in for message in _messages_of(module)]
        self._by_name = {message.NAME: message for message in self.declared}
        self._by_key = {subscription.key: subscription for subscription in subscriptions}
        self._by_type: dict[str, list[Subscription[Any]]] = {name: [] for name in self._by_name}
        for subscription in subscriptions:
            self._by_type.setdefault(subscription.message.NAME, []).append(subscription)

    def __iter__(self) -> Iterator[Subscription[Any]]:
        return iter(self._subscriptions)

    def declares(self, message: type[Message]) -> bool:
        """Tell whether this very class is the declared one of its name."""
        return self._by_name.get(message.NAME) is message

    def of(self, message_type: str) -> list[Subscription[Any]]:
        """Return the subscriptions to a stored message name."""
        return self._by_type.get(message_type, [])

    def by_key(self, key: str) -> Subscription[Any]:
        """Return the subscription with this key.

        :raises KeyError: if the table has none
        """
        return self._by_key[key]

    def keys(self, *, external: bool) -> list[str]:
        """Return the keys of the external, or of the transactional, handlers."""
        return [subscription.key for subscription in self if subscription.external is external]

    def names(self) -> list[str]:
        """Return the stored names of all declared messages."""
        return list(self._by_name)


def _messages_of(module: ModuleType) -> list[type[Message]]:
    """Return the message classes that the module defines itself."""
    return [
        thing
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, Message) and thing.__module__ == module.__name__
    ]


@cache
def _load(path: str) -> Subscriptions:
    table = import_string(path)
    if not isinstance(table, Subscriptions):
        raise ImproperlyConfigured(f"OUTBOX_SUBSCRIPTIONS must name a Subscriptions table, and {path} is none.")
    return table


def subscriptions() -> Subscriptions:
    """Return the project's table."""
    return _load(settings.OUTBOX_SUBSCRIPTIONS)

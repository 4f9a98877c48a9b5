"""A table with one handler whose behaviour each test sets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.messages_for_tests import Happened
from tickets_project.outbox.subscriptions import Recording, Subscription, Subscriptions


@dataclass
class Listener:
    """A handler that remembers what it heard and does as it is told."""

    heard: list[Any] = field(default_factory=list)
    then: Callable[[Any], Recording | None] = lambda _message: None

    def __call__(self, message: Any) -> Recording | None:
        self.heard.append(message)
        return self.then(message)


@pytest.fixture
def listener(table: Callable[[Subscriptions], None]) -> Listener:
    """Hear `Happened_v1` under the key `things.listen`, transactionally."""
    listener = Listener()
    table(Subscriptions(Subscription(Happened, "things.listen", listener), declared_in=(messages_for_tests,)))
    return listener


@pytest.fixture
def caller(table: Callable[[Subscriptions], None]) -> Listener:
    """Hear `Happened_v1` under the key `things.call`, with no transaction open."""
    listener = Listener()
    subscription = Subscription(Happened, "things.call", listener, external=True)
    table(Subscriptions(subscription, declared_in=(messages_for_tests,)))
    return listener

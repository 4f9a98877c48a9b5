"""The handlers of the claims machine: each leaves a row and then does as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.crash.trial.effects import take_effect
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.claims_rows import ModelHandler
from tests.tickets_project.outbox.messages_for_tests import Happened
from tickets_project.outbox.outcomes import GiveUp, NotYet
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.retries import RetryPolicy
from tickets_project.outbox.subscriptions import Recording, Subscription, Subscriptions

HOUR = 3600
OTHER = {"t1": "t2", "t2": "t3", "t3": "t1"}
"""The things, each with the one whose message its handlers wait for, and that their own messages are about."""


class Killed(BaseException):
    """The worker dies while the handler runs."""


@dataclass
class Orders:
    """How the next handlers run, by the number of their message, and the numbers of the messages that follow."""

    how: dict[int, str] = field(default_factory=dict)
    follows: dict[int, int] = field(default_factory=dict)


ORDERS = Orders()


def _obey(how: str, message: Happened) -> None:
    match how.removesuffix(" at once"):
        case "fail":
            raise ValueError(message.number)
        case "give up":
            raise GiveUp("It cannot be done.")
        case "not yet":
            raise NotYet("Another message is missing.", aggregate_id=OTHER[message.thing_id])
        case "die":
            raise Killed
        case "follow":
            publish(Happened(thing_id=OTHER[message.thing_id], number=ORDERS.follows[message.number]))


def _transactional(key: str) -> Callable[[Happened], None]:
    def handle(message: Happened) -> None:
        take_effect(key, message.number)
        _obey(ORDERS.how[message.number], message)

    return handle


def _external(key: str) -> Callable[[Happened], Recording]:
    """Return a handler that fails in its call, before there is anything to record, or while that is recorded."""
    handle = _transactional(key)

    def call(message: Happened) -> Recording:
        if (how := ORDERS.how[message.number]).endswith(" at once"):
            _obey(how, message)
        return partial(handle, message)

    return call


HANDLERS = (
    ModelHandler("claims.count", delays=(1, 3, 2)),
    ModelHandler("claims.follow", delays=(1, 2, 1), ordered=True),
    ModelHandler("claims.call", delays=(2, 1, 1), external=True, replayable=False, urgent=True),
    ModelHandler("claims.tell", delays=(1, 1), external=True, ordered=True),
)


def _subscription(handler: ModelHandler) -> Subscription[Happened]:
    return Subscription(
        Happened,
        handler.key,
        _external(handler.key) if handler.external else _transactional(handler.key),
        external=handler.external,
        ordered=handler.ordered,
        replayable=handler.replayable,
        urgent=handler.urgent,
        retry=RetryPolicy(delays=tuple(HOUR * delay for delay in handler.delays), jitter=0),
    )


NOW = Subscriptions(*map(_subscription, HANDLERS), declared_in=(messages_for_tests,))
BEFORE = Subscriptions(*map(_subscription, HANDLERS[:-1]), declared_in=(messages_for_tests,))
"""The table before its last handler was written."""

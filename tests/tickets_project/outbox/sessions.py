"""What sessions do with the same deliveries: dispatchers, the supervisor, the application, and people."""

from collections.abc import Callable
from datetime import timedelta
from threading import local
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from tests.crash.trial.effects import take_effect
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.interleaving import Work
from tests.tickets_project.outbox.messages_for_tests import Happened
from tickets_project.outbox import claiming
from tickets_project.outbox.delivering import Batch, commit, commit_together, prepare
from tickets_project.outbox.failing import Undelivered
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.pruning import Pruned, prune
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.repairing import discard_delivery, retry_delivery
from tickets_project.outbox.replaying import Selection, plan_replay, replay
from tickets_project.outbox.subscriptions import Recording, Subscription, Subscriptions
from tickets_project.refusals import DomainError

KEY = "two.handle"
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))
LONG, NONE = timedelta(minutes=10), timedelta(0)
"""Leases: one that lasts, and one that is over before anything else happens."""

_MINE = local()
_AT_ONCE = """
    SELECT FROM outbox_delivery WHERE status = 'pending' AND claimed_until > statement_timestamp()
    GROUP BY handler, ordering_key HAVING ordering_key IS NOT NULL AND count(*) > 1
"""


class Killed(BaseException):
    """The worker dies while the handler runs."""


class TwoOrphans(Exception):
    """Of two claims of the same dispatcher, either may have killed the one before, and both are in hand."""


class Overtaken(Exception):
    """Two deliveries of one ordered key are in hand at once."""


def handle(message: Happened) -> None:
    """Leave a row, and then do what this session's handlers do."""
    take_effect(KEY, message.number)
    match getattr(_MINE, "how", "ok"):
        case "fail":
            raise ValueError(message.number)
        case "wait":
            raise NotYet("Another message is missing.", aggregate_id="t2")
        case "die":
            raise Killed


def call(message: Happened) -> Recording:
    return lambda: handle(message)


def table_of(*, ordered: bool = False, external: bool = False) -> Subscriptions:
    handler = call if external else handle
    subscription = Subscription(Happened, KEY, handler, ordered=ordered, external=external)
    return Subscriptions(subscription, declared_in=(messages_for_tests,))


def dispatch(who: UUID, *, lease: timedelta = LONG, how: str = "ok", together: bool = False) -> list[str]:
    """Claim two, and deliver them; tell what came of each."""
    claims = take(who, lease)
    _MINE.how = how
    outcomes = [(claim, prepare(claim)) for claim in claims]
    batch: Batch = [(claim, effect) for claim, effect in outcomes if not isinstance(effect, Undelivered)]
    left = commit_together(batch) if together and len(batch) > 1 else batch
    return ["late" if commit(*pair) else "delivered" for pair in left]


def stop(who: UUID) -> int:
    """Claim, and give back what has not run."""
    return claiming.release(dispatcher=who, unrun=take(who, LONG))


def take(who: UUID, lease: timedelta) -> list[claiming.Claim]:
    """Claim two."""
    # Elsewhere its statement commits by itself: between the two others may look.
    with transaction.atomic():
        claims = claiming.claim(dispatcher=who, handlers=[KEY], limit=2, lease=lease)
    if sum(claim.orphaned for claim in claims) > 1:
        raise TwoOrphans
    with connection.cursor() as cursor:
        cursor.execute(_AT_ONCE)
        if cursor.rowcount:
            raise Overtaken
    return claims


def renew(who: UUID) -> None:
    ids = list(Delivery.objects.values_list("id", flat=True))
    claiming.renew(dispatcher=who, delivery_ids=ids, lease=LONG)


def tell(thing: str, number: int) -> None:
    with transaction.atomic():
        publish(Happened(thing_id=thing, number=number))


def repair(ask: Callable[..., Any]) -> str:
    """Ask it of the first one that is to be delivered; tell how it was refused, if it was."""
    delivery = Delivery.objects.get(message__payload__number=1)
    try:
        ask(delivery.pk, by="ann", at=timezone.now(), reason="tried")
    except DomainError as refusal:
        return refusal.code
    return "done"


def replay_all() -> int:
    with transaction.atomic():
        plan = plan_replay(Selection(handlers=(KEY,)))
    return replay(plan, by="ann")


def prune_all() -> Pruned:
    return prune(at=timezone.now())


def works(who: UUID, other: UUID) -> dict[str, Work]:
    """Return what a session may do: as this dispatcher, to that one, or as somebody else."""
    return {
        "deliver": lambda: dispatch(who),
        "deliver late": lambda: dispatch(who, lease=NONE),
        "deliver together": lambda: dispatch(who, together=True),
        "deliver together late": lambda: dispatch(who, lease=NONE, together=True),
        "die": lambda: dispatch(who, how="die"),
        "die late": lambda: dispatch(who, how="die", lease=NONE),
        "fail": lambda: dispatch(who, how="fail"),
        "fail late": lambda: dispatch(who, how="fail", lease=NONE),
        "wait": lambda: dispatch(who, how="wait"),
        "wait late": lambda: dispatch(who, how="wait", lease=NONE),
        "stop": lambda: stop(who),
        "renew": lambda: renew(other),
        "bury": lambda: claiming.release(dispatcher=other),
        "publish": lambda: tell("t1", 10 + who.int),
        "publish what is awaited": lambda: tell("t2", 10 + who.int),
        "retry": lambda: repair(retry_delivery),
        "discard": lambda: repair(discard_delivery),
        "replay": replay_all,
        "prune": prune_all,
    }

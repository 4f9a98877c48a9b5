"""Sessions with the same deliveries, in every order of their statements: each effect is taken once, and none is lost.

The short run takes the pairs that meet most often; `TWO_SESSIONS=all` takes every pair, and two dispatchers with each
other work.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import combinations_with_replacement, product
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from tests.crash.trial.effects import drop_table, effects, make_table, take_effect
from tests.factories import DeliveryFactory, MessageFactory
from tests.tickets_project.outbox.interleaving import Work, every_order
from tests.tickets_project.outbox.messages_for_tests import Happened
from tests.tickets_project.outbox.sessions import FIRST, KEY, LONG, SECOND, THIRD, Killed, table_of, take, works
from tests.working import deliver_all
from tickets_project.outbox import claiming, delivering, publishing
from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.models import Delivery, Intervention, Message
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.subscriptions import Subscriptions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(0)]

ALL = os.environ.get("TWO_SESSIONS") == "all"
TABLES = {"transactional": table_of(), "ordered": table_of(ordered=True), "external": table_of(external=True)}
OFTEN = [
    ("transactional", "deliver", "deliver"),
    ("transactional", "deliver late", "deliver late"),
    ("transactional", "deliver together late", "deliver together late"),
    ("transactional", "die late", "deliver late"),
    ("transactional", "fail late", "deliver late"),
    ("transactional", "wait late", "deliver late"),
    ("transactional", "wait", "publish what is awaited"),
    ("transactional", "deliver late", "stop"),
    ("transactional", "deliver late", "renew"),
    ("transactional", "deliver", "bury"),
    ("transactional", "deliver", "publish"),
    ("transactional", "deliver late", "retry"),
    ("transactional", "deliver late", "discard"),
    ("transactional", "retry", "discard"),
    ("ordered", "deliver late", "deliver late"),
    ("ordered", "deliver", "deliver"),
    ("ordered", "deliver", "publish"),
    ("ordered", "discard", "replay"),
]
# What they do while others hold rows: these pass over them.
AT_ONCE = {claiming._CLAIM, claiming._RENEW, publishing._PUBLISH}
WORKS = list(works(FIRST, SECOND))
# These take many statements; for them one delivery is enough.
LONG_WORKS = {"prune", "replay"}
EVERY = [
    *((kind, *pair) for kind, pair in product(TABLES, combinations_with_replacement(WORKS, 2))),
    *(("transactional", "deliver late", "deliver late", third) for third in WORKS if third not in LONG_WORKS),
]
_CLEAR = """
    SET synchronous_commit = off;
    DELETE FROM outbox_intervention; DELETE FROM outbox_delivery; DELETE FROM outbox_message; DELETE FROM trial_effect
"""


@pytest.fixture(autouse=True)
def _stage(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,  # noqa: ARG001 - opens the database
) -> Iterator[None]:
    settings.OUTBOX_KEEP_DELIVERED_DAYS = 30
    settings.OUTBOX_KEEP_MESSAGES_DAYS = 365
    # However long a session stands still.
    monkeypatch.setattr(delivering, "TOGETHER_SECONDS", 600)
    make_table()
    yield
    drop_table()


def begin(names: tuple[str, ...], *, due: tuple[int, ...]) -> list[Work]:
    """Store an old delivery and some that are due, all of one thing; return what the sessions do.

    When two replay, the handler is newer than the old message.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR)
    long_ago = timezone.now() - timedelta(days=400)
    old = {"type": "Happened_v1", "aggregateid": "t1", "payload": {"thing_id": "t1", "number": 0}}
    message = MessageFactory.create(**old, published_at=long_ago)
    if names.count("replay") < 2:
        DeliveryFactory.create(message=message, handler=KEY, status="delivered", delivered_at=long_ago)
        take_effect(KEY, 0)
    with transaction.atomic():
        publish(*(Happened(thing_id="t1", number=number) for number in due))
    who = (FIRST, SECOND, THIRD)
    return [works(who[place], who[place - 1])[name] for place, name in enumerate(names)]


def go_through(*names: str, due: tuple[int, ...]) -> int:
    """Go through every order of these; return how many there are."""
    orders = 0
    for answers in every_order(lambda: begin(names, due=due), sessions=len(names), at_once=AT_ONCE):
        orders += 1
        wrong = [answer for answer in answers if isinstance(answer, BaseException) and not isinstance(answer, Killed)]
        assert not wrong
        deliver_the_rest()
        assert_each_once({0, *due}, may_go={0} if "prune" in names else set())
        if "replay" not in names:
            assert_in_order(due)
    return orders


def deliver_the_rest() -> None:
    """Let the leases end, and the delays, and deliver what is left."""
    hour = timedelta(hours=1)
    Delivery.objects.update(available_at=F("available_at") - hour, claimed_until=F("claimed_until") - hour)
    deliver_all()


def assert_each_once(due: set[int], *, may_go: set[int]) -> None:
    """Assert that each delivery is closed, and has taken effect as often as it was opened."""
    rows = dict(Delivery.objects.values_list("message__payload__number", "status"))
    assert due - rows.keys() <= may_go
    assert set(rows.values()) <= {"delivered", "discarded"}
    assert rows.keys() == set(Message.objects.values_list("payload__number", flat=True))
    again = Intervention.objects.filter(action="replayed", previous_status="delivered")
    replayed = Counter(again.values_list("delivery__message__payload__number", flat=True))
    # What is pruned had been delivered once, also when a replay has made its delivery anew since.
    made_anew = Intervention.objects.filter(action="replayed", previous_status="")
    before = may_go & set(made_anew.values_list("delivery__message__payload__number", flat=True))
    expected = {
        number: (status == "delivered") + replayed[number] + (number in before) for number, status in rows.items()
    }
    assert Counter(effects(KEY)) == Counter(dict.fromkeys(may_go - rows.keys(), 1) | expected)


def assert_in_order(due: tuple[int, ...]) -> None:
    """Assert that what was due took effect in the order in which it was published, if that was asked for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM trial_effect WHERE number = ANY(%s) ORDER BY id", [list(due)])
        numbers = [number for (number,) in cursor.fetchall()]
    if Delivery.objects.filter(ordering_key__isnull=False).exists():
        assert numbers == sorted(numbers)


def due_for(kind: str, *names: str) -> tuple[int, ...]:
    """Return the numbers of the deliveries that are due: two where one can hold back another, or go with it."""
    is_small = len(names) > 2 or LONG_WORKS & {*names} or not ALL
    return (1, 2) if kind == "ordered" or any("together" in name for name in names) or not is_small else (1,)


class TestSessions:
    @pytest.mark.parametrize("names", EVERY if ALL else OFTEN, ids=", ".join)
    def test_leave_each_effect_once(self, table: Callable[[Subscriptions], None], names: tuple[str, ...]) -> None:
        kind, *sessions = names
        table(TABLES[kind])
        assert go_through(*sessions, due=due_for(kind, *sessions)) > 1


class TestSessionsUnprotected:
    """What protects the others is needed: without it some order goes wrong."""

    @pytest.fixture(autouse=True)
    def _transactional(self, table: Callable[[Subscriptions], None]) -> None:
        table(TABLES["transactional"])

    def test_take_an_effect_twice_without_the_fence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(claiming, "settle", _settle_unfenced)
        pair, taken = ("deliver late", "deliver late"), set()
        for _ in every_order(lambda: begin(pair, due=(1,))):
            taken.add(effects(KEY)[1])
        assert taken == {1, 2}

    def test_have_the_same_in_hand_without_locks_on_the_rows(self) -> None:
        def claim_unlocked(who: UUID) -> list[Claim]:
            with connection.execute_wrapper(_without_row_locks):
                return take(who, LONG)

        assert self._shared(lambda who: take(who, LONG)) == {0}
        assert self._shared(claim_unlocked) == {0, 1}

    def _shared(self, claim: Callable[[UUID], list[Claim]]) -> set[int]:
        """Return how many deliveries two who claim at the same time have both in hand, over all orders."""
        shared = set()

        def claims() -> list[Work]:
            begin((), due=(1,))
            return [lambda: claim(FIRST), lambda: claim(SECOND)]

        for first, second in every_order(claims):
            both = {each.delivery_id for each in first} & {each.delivery_id for each in second}
            shared.add(len(both))
        return shared


def _without_row_locks(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    return execute(sql.replace("FOR UPDATE SKIP LOCKED", ""), *arguments)


def _settle_unfenced(*claims: Claim) -> bool:
    ids = [claim.delivery_id for claim in claims]
    return bool(Delivery.objects.filter(id__in=ids).update(status="delivered", delivered_at=Now()))

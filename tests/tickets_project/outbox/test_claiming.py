"""Claims: who gets which delivery, and for how long."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.factories import DeliveryFactory
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.messages_for_tests import Happened
from tests.working import claim_due
from tickets_project.outbox.claiming import Reading, claim, look, release, renew, retry, settle
from tickets_project.outbox.delivering import deliver
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.repairing import discard_delivery
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = timedelta(seconds=10)
HANDLER = "bookings.record_printed"


def claimed(*, limit: int = 100, handlers: tuple[str, ...] = (HANDLER,), lease: timedelta = LEASE) -> list[int]:
    claims = claim(dispatcher=uuid4(), handlers=list(handlers), limit=limit, lease=lease)
    return sorted(entry.delivery_id for entry in claims)


class TestClaim:
    def test_takes_the_oldest_first(self) -> None:
        now = timezone.now()
        ages = [3, 1, 2]
        rows = [DeliveryFactory.create(available_at=now - timedelta(minutes=age)) for age in ages]
        assert claimed(limit=1) == [rows[0].pk]
        assert claimed(limit=1) == [rows[2].pk]

    def test_counts_the_attempt_before_anything_runs(self) -> None:
        row = DeliveryFactory.create()
        claimed()
        row.refresh_from_db()
        assert row.attempts == 1
        assert row.available_at == row.claimed_until > timezone.now()

    def test_gives_no_delivery_to_two(self) -> None:
        DeliveryFactory.create_batch(5)
        first, second = claimed(limit=3), claimed(limit=3)
        assert len(first) == 3
        assert len(second) == 2
        assert not set(first) & set(second)

    def test_passes_over_rows_that_another_transaction_holds(self) -> None:
        held, free = DeliveryFactory.create_batch(2)
        other = connection.copy()
        other.set_autocommit(False)
        other.cursor().execute("SELECT 1 FROM outbox_delivery WHERE id = %s FOR UPDATE", [held.pk])
        assert claimed() == [free.pk]
        other.rollback()
        other.close()

    def test_takes_over_after_the_lease(self) -> None:
        row = DeliveryFactory.create()
        assert claimed(lease=timedelta(0)) == [row.pk]
        assert claimed() == [row.pk]
        row.refresh_from_db()
        assert row.attempts == 2

    def test_leaves_handlers_it_does_not_know(self) -> None:
        DeliveryFactory.create(handler="tomorrow.feature")
        assert claimed() == []

    def test_takes_a_share_of_each_handler(self) -> None:
        flood = DeliveryFactory.create_batch(5, handler="a.flood")
        one = DeliveryFactory.create(handler="b.one")
        assert claimed(limit=2, handlers=("a.flood", "b.one")) == [flood[0].pk, one.pk]

    @pytest.mark.parametrize("status", ["parked", "discarded"])
    def test_leaves_what_is_closed(self, status: str) -> None:
        DeliveryFactory.create(status=status)
        assert claimed() == []

    def test_leaves_what_is_not_due(self) -> None:
        DeliveryFactory.create(available_at=timezone.now() + timedelta(minutes=1))
        assert claimed() == []

    def test_gives_an_urgent_handler_eight_in_its_turn(self) -> None:
        for handler in ("a", "b", "urgent"):
            DeliveryFactory.create_batch(20, handler=handler)
        reading = Reading(urgent=["urgent", "of nobody"])
        claims = claim(dispatcher=uuid4(), handlers=["a", "b", "urgent"], limit=20, lease=LEASE, reading=reading)
        assert Counter(entry.handler for entry in claims) == {"urgent": 16, "a": 2, "b": 2}

    def test_hands_out_one_at_a_time_of_those_whose_worker_died(self) -> None:
        dead = uuid4()
        DeliveryFactory.create_batch(3)
        claim(dispatcher=dead, handlers=[HANDLER], limit=3, lease=LEASE)
        release(dispatcher=dead)
        DeliveryFactory.create_batch(2)
        rounds = [
            [entry.orphaned for entry in claim(dispatcher=uuid4(), handlers=[HANDLER], limit=10, lease=LEASE)]
            for _ in range(4)
        ]
        assert [sorted(each) for each in rounds] == [[False, False, True], [True], [True], []]

    def test_takes_one_whose_lease_ended_for_such_a_one(self) -> None:
        DeliveryFactory.create_batch(2)
        claimed(lease=timedelta(0))
        assert len(claimed(lease=timedelta(0))) == 1

    def test_hands_out_together_what_was_given_back(self) -> None:
        DeliveryFactory.create_batch(3)
        dispatcher = uuid4()
        release(dispatcher=dispatcher, unrun=claim(dispatcher=dispatcher, handlers=[HANDLER], limit=3, lease=LEASE))
        assert len(claimed()) == 3


class TestLook:
    def test_finds_nothing_in_what_is_closed_later_or_another_s(self) -> None:
        DeliveryFactory.create(status="parked")
        DeliveryFactory.create(available_at=timezone.now() + timedelta(minutes=1))
        DeliveryFactory.create(handler="tomorrow.feature")
        assert not look(handlers=[HANDLER]).is_due

    def test_finds_one_that_waits_to_be_claimed(self) -> None:
        DeliveryFactory.create()
        assert look(handlers=["tomorrow.feature", HANDLER]).is_due
        claimed()
        assert not look(handlers=[HANDLER]).is_due

    def test_tells_since_when_each_handler_has_something_to_do(self) -> None:
        now = timezone.now()
        for handler, age in [("a", 3), ("a", 5), ("b", 1), ("later", -1), ("closed", 5)]:
            status = "parked" if handler == "closed" else "pending"
            DeliveryFactory.create(handler=handler, status=status, available_at=now - timedelta(minutes=age))
        found = json.loads(look(handlers=["a", "b", "later", "closed", "idle"]).since)
        ages = {handler: now - datetime.fromisoformat(at) for handler, at in found.items()}
        assert {handler: round(age / timedelta(minutes=1)) for handler, age in ages.items()} == {
            "a": 5,
            "b": 1,
            "later": 0,
            "closed": 0,
            "idle": 0,
        }

    def test_knows_nothing_of_no_handlers(self) -> None:
        found = look(handlers=[])
        assert (found.is_due, found.since) == (False, "{}")

    def test_lets_a_claim_leave_out_what_fell_due_before(self) -> None:
        now = timezone.now()
        old, young = (DeliveryFactory.create(available_at=now - timedelta(minutes=age)) for age in (2, 1))
        reading = Reading(since=json.dumps({HANDLER: young.available_at.isoformat(), "another": now.isoformat()}))
        claims = claim(dispatcher=uuid4(), handlers=[HANDLER], limit=2, lease=LEASE, reading=reading)
        assert [entry.delivery_id for entry in claims] == [young.pk]
        assert claimed() == [old.pk]


class TestClaimOrdered:
    @pytest.fixture(autouse=True)
    def _ordered(self, table: Callable[[Subscriptions], None]) -> None:
        self.listener = Listener()
        subscription = Subscription(Happened, "things.listen", self.listener, ordered=True)
        table(Subscriptions(subscription, declared_in=(messages_for_tests,)))
        with transaction.atomic():
            publish(*(Happened(thing_id=thing, number=number) for number in range(3) for thing in ("t1", "t2")))

    def test_hands_out_one_at_a_time_per_aggregate(self) -> None:
        assert [(row.aggregate_id, row.payload["number"]) for row in claim_due()] == [("t1", 0), ("t2", 0)]
        assert claim_due() == []

    def test_goes_on_in_publish_order(self) -> None:
        for _ in range(3):
            for row in claim_due():
                deliver(row)
        assert [message.number for message in self.listener.heard if message.thing_id == "t1"] == [0, 1, 2]

    def test_lets_a_retry_hold_back_its_own_aggregate_alone(self) -> None:
        for row in claim_due():
            if row.aggregate_id == "t1":
                retry(row, delay=timedelta(minutes=1), error="not now")
            else:
                deliver(row)
        assert [(row.aggregate_id, row.payload["number"]) for row in claim_due()] == [("t2", 1)]

    def test_lets_a_parked_one_hold_back_the_later_ones(self) -> None:
        for row in claim_due():
            retry(row, delay=None, error="never")
        assert claim_due() == []

    def test_goes_on_when_the_parked_one_is_discarded(self) -> None:
        for row in claim_due():
            retry(row, delay=None, error="never")
        for delivery in Delivery.objects.filter(status="parked"):
            discard_delivery(delivery.pk, by="ann", at=timezone.now(), reason="no longer wanted")
        assert [row.payload["number"] for row in claim_due()] == [1, 1]


class TestSettle:
    def test_is_refused_when_the_claim_is_lost(self) -> None:
        row = DeliveryFactory.create()
        dispatcher = uuid4()
        [first] = claim(dispatcher=dispatcher, handlers=[HANDLER], limit=1, lease=timedelta(0))
        [second] = claim(dispatcher=dispatcher, handlers=[HANDLER], limit=1, lease=LEASE)
        assert not settle(first)
        assert settle(second)
        assert not settle(second)
        row.refresh_from_db()
        assert row.status == Status.DELIVERED


class TestRenew:
    def test_starts_the_leases_of_one_dispatcher_anew(self) -> None:
        mine, other = uuid4(), uuid4()
        DeliveryFactory.create_batch(2)
        for dispatcher in (mine, other):
            claim(dispatcher=dispatcher, handlers=[HANDLER], limit=1, lease=timedelta(0))
            Delivery.objects.filter(claimed_by=mine).update(available_at=timezone.now() + LEASE)
        renew(
            dispatcher=other, delivery_ids=list(Delivery.objects.values_list("id", flat=True)), lease=timedelta(hours=1)
        )
        rows = Delivery.objects.filter(claimed_until__gt=timezone.now() + timedelta(minutes=50))
        assert [row.claimed_by for row in rows] == [other]


class TestRelease:
    def test_gives_back_the_attempt_of_what_never_ran(self) -> None:
        row = DeliveryFactory.create()
        claims = claim_due()
        release(dispatcher=claims[0].claimed_by, unrun=claims)
        row.refresh_from_db()
        assert (row.attempts, row.claimed_by) == (0, None)
        assert claimed() == [row.pk]

    def test_counts_the_attempt_of_what_a_dead_dispatcher_held(self) -> None:
        row = DeliveryFactory.create()
        [entry] = claim_due()
        assert release(dispatcher=entry.claimed_by) == 1
        row.refresh_from_db()
        assert row.attempts == 1
        assert claimed() == [row.pk]

    def test_touches_nothing_when_nothing_was_left(self) -> None:
        DeliveryFactory.create()
        [entry] = claim_due()
        assert release(dispatcher=entry.claimed_by, unrun=[]) == 0

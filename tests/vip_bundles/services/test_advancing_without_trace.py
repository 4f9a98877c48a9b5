"""A message that fails, comes again, comes too early or is about no bundle leaves nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from tests.bookings.traces import refusing_inserts
from tests.factories import made_bundle, staff_act
from tests.vip_bundles.stored import (
    ADVANCING,
    all_confirmed,
    all_rows,
    booking_failed,
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    inbound_failed,
    leaving_nothing,
    refusing_updates,
    return_booked,
    sent,
    standing,
    state_of,
    stored,
    taxi_booked,
    taxi_failed,
    tell,
)
from tests.working import deliver_all, deliver_due
from tickets_project.audit.acts import Act
from tickets_project.outbox.messages import Message
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.replaying import Selection, plan_replay, replay
from vip_bundles.facts import State
from vip_bundles.models import BundleTicket, VipBundle
from vip_bundles.process import Heard
from vip_bundles.services import advance, roll_back

pytestmark = pytest.mark.django_db

CountQueries = Callable[[int], AbstractContextManager[Any]]


def rolled_back(**facts: Any) -> VipBundle:
    """Return a bundle that a person has rolled back while its flight was being booked."""
    bundle = standing(State.BOOKING_INBOUND_FLIGHT, **facts)
    roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="the customer is ill"))
    return bundle


class TestAdvanceAtomicity:
    """A late ticket writes to each of these tables: all of it is stored, or nothing."""

    @pytest.mark.parametrize(
        "failing",
        [
            lambda: refusing_updates("vip_bundles_vipbundle"),
            lambda: refusing_inserts("vip_bundles_bundleticket"),
            lambda: refusing_inserts("vip_bundles_bundlemove"),
            lambda: refusing_inserts("audit_auditentry"),
            lambda: refusing_inserts("outbox_message"),
            lambda: refusing_inserts("outbox_delivery"),
        ],
    )
    def test_leaves_nothing_when_a_part_fails(self, failing: Callable[[], AbstractContextManager[None]]) -> None:
        bundle = rolled_back()
        late = confirmed(bundle)
        tell(late)
        with leaving_nothing(), failing():
            assert deliver_due(*ADVANCING) == 1
        waiting = Delivery.objects.get(handler="vip_bundles.on_ticket_confirmed", status=Status.PENDING)
        assert "broken" in waiting.last_error
        Delivery.objects.filter(id=waiting.pk).update(available_at=timezone.now())
        deliver_all(*ADVANCING)
        assert sent("RefundTicket")[-1] == {"ticket_id": late.ticket_id}
        assert BundleTicket.objects.filter(ticket_id=late.ticket_id).exists()


class TestAdvanceRepeated:
    def all_of_a_life(self, bundle: VipBundle) -> list[Message]:
        first = booking_made(bundle)
        return [first, *all_confirmed(bundle), inbound_booked(bundle), return_booked(bundle), taxi_failed(bundle)]

    def test_stores_nothing_new_and_sends_nothing(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        for message in self.all_of_a_life(bundle):
            hear(message)
            tell(message)
            with leaving_nothing():
                deliver_all(*ADVANCING)
        assert state_of(bundle) == "failed"

    def test_only_reads(self, django_assert_num_queries: CountQueries) -> None:
        bundle = standing(State.BOOKING_RETURN_FLIGHT)
        with django_assert_num_queries(2):
            advance(inbound_booked(bundle), bundle=Q(id=bundle.id), act=Act(at=timezone.now()))

    def test_sends_nothing_when_the_outbox_replays_it(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(*self.all_of_a_life(bundle))
        plan = plan_replay(Selection(handlers=tuple(ADVANCING)))
        with leaving_nothing():
            assert replay(plan, by="ann") == 8
            deliver_all(*ADVANCING)
        assert set(Delivery.objects.filter(handler__in=ADVANCING).values_list("status", flat=True)) == {"delivered"}

    def test_counts_a_ticket_once(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        same = confirmed(bundle)
        hear(same, same, same)
        assert BundleTicket.objects.count() == 1
        hear(booking_made(bundle), inbound_failed(bundle))
        assert state_of(bundle) == "booking_inbound_flight"


class TestAdvanceOfNoBundle:
    def test_ignores_the_bookings_of_others_in_one_query(self, django_assert_num_queries: CountQueries) -> None:
        other = VipBundle(booking_id=uuid4(), show_id=uuid4(), number_of_tickets=1)
        heard: list[Heard] = [booking_made(other), booking_failed(other), confirmed(other)]
        with leaving_nothing():
            for message in heard:
                with django_assert_num_queries(1):
                    advance(message, bundle=Q(booking_id=other.booking_id), act=Act(at=timezone.now()))

    def test_ignores_a_bundle_that_nobody_knows(self) -> None:
        unknown = VipBundle(id=uuid4(), inbound_flight_id=uuid4())
        tell(inbound_booked(unknown), inbound_failed(unknown), taxi_booked(unknown), taxi_failed(unknown))
        with leaving_nothing():
            deliver_all(*ADVANCING)
        assert set(Delivery.objects.filter(handler__in=ADVANCING).values_list("status", flat=True)) == {"delivered"}


class TestAdvanceNotYet:
    def failing(self) -> tuple[VipBundle, Delivery]:
        """Return a bundle with two of its three tickets, and the failure of its flight, which waits."""
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_made(bundle), *all_confirmed(bundle)[:2])
        tell(inbound_failed(bundle))
        with leaving_nothing():
            deliver_due(*ADVANCING)
        return bundle, Delivery.objects.get(handler="vip_bundles.on_flight_failed")

    def test_leaves_no_trace(self) -> None:
        bundle, waiting = self.failing()
        assert (waiting.status, waiting.attempts, waiting.waits_for) == ("pending", 0, str(bundle.id))
        assert waiting.last_error == "2 of 3 tickets are confirmed; all of them are to be refunded."
        assert (state_of(bundle), stored(bundle).failure_reason) == ("booking_inbound_flight", "")

    def test_is_heard_once_the_last_ticket_is_there(self) -> None:
        bundle, waiting = self.failing()
        Delivery.objects.filter(id=waiting.pk).update(available_at="2100-01-01T00:00:00Z")
        hear(confirmed(bundle))
        assert state_of(bundle) == "failed"
        assert len(sent("RefundTicket")) == 3
        assert len(sent("VipBundleFinalized_v1")) == 1

    def test_waits_on_while_another_ticket_is_missing(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_made(bundle), inbound_failed(bundle))
        for expected in ["booking_inbound_flight", "booking_inbound_flight", "failed"]:
            hear(confirmed(bundle))
            assert state_of(bundle) == expected

    def test_is_not_woken_by_the_ticket_of_another_bundle(self) -> None:
        _, waiting = self.failing()
        Delivery.objects.filter(id=waiting.pk).update(available_at="2100-01-01T00:00:00Z")
        hear(confirmed(made_bundle()))
        waiting.refresh_from_db()
        assert (waiting.available_at.year, waiting.status) == (2100, "pending")

    def test_is_undone_with_the_rest_of_its_transaction(self) -> None:
        bundle, _ = self.failing()
        before = all_rows()
        with pytest.raises(Exception, match="2 of 3 tickets"), transaction.atomic():
            advance(inbound_failed(bundle), bundle=Q(id=bundle.id), act=Act(at=timezone.now()))
        assert all_rows() == before

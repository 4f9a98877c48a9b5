"""What a person may do with a bundle that waits: ask again, or roll back; both through the same decisions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import ProgrammingError
from pytest_django import Settings

from tests.bookings.traces import refusing_inserts
from tests.factories import NOON, staff_act
from tests.vip_bundles.stored import (
    audited,
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    inbound_failed,
    initialized,
    leaving_nothing,
    moves_of,
    sent,
    standing,
    state_of,
    stored,
    taxi_failed,
)
from tickets_project.audit.models import AuditEntry
from tickets_project.errors import problem_response
from tickets_project.outbox.models import Message as StoredMessage
from vip_bundles.errors import BundleEnded
from vip_bundles.facts import State
from vip_bundles.models import BundleMove, VipBundle
from vip_bundles.services import retry_step, roll_back

pytestmark = pytest.mark.django_db

ASKED = [
    (State.BOOKING_SHOW, "BookShowTickets"),
    (State.BOOKING_INBOUND_FLIGHT, "BookFlight"),
    (State.BOOKING_RETURN_FLIGHT, "BookFlight"),
    (State.BOOKING_TAXI, "BookTaxi"),
]
TAKEN_BACK = [
    # From where, how many refunds, and how many flights are taken back.
    (State.INITIALIZED, 0, 0),
    (State.BOOKING_SHOW, 0, 0),
    (State.BOOKING_INBOUND_FLIGHT, 3, 0),
    (State.BOOKING_RETURN_FLIGHT, 3, 1),
    (State.BOOKING_TAXI, 3, 2),
]
ENDS = [State.FINALIZED, State.FAILED]


def retried(bundle: VipBundle, **facts: Any) -> VipBundle:
    return retry_step(vip_bundle_id=bundle.id, act=staff_act(**{"reason": "the service is back"} | facts))


def rolled_back(bundle: VipBundle, **facts: Any) -> VipBundle:
    return roll_back(vip_bundle_id=bundle.id, act=staff_act(**{"reason": "the customer is ill"} | facts))


def assert_says_it_has_ended(refusal: BundleEnded, state: State) -> None:
    answer = problem_response(refusal, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"], answer.data["current_status"]) == (409, "bundle_ended", state)


class TestRetryStep:
    @pytest.mark.parametrize(("state", "command"), ASKED)
    def test_sends_the_same_command_with_the_same_key(self, state: State, command: str) -> None:
        bundle = standing(state)
        asked = StoredMessage.objects.get(type=command, payload=sent(command)[-1])
        before = StoredMessage.objects.count()
        retried(bundle)
        again = StoredMessage.objects.latest("sequence")
        assert (again.type, again.payload) == (command, asked.payload)
        assert StoredMessage.objects.count() == before + 1
        assert state_of(bundle) == state

    def test_begins_a_bundle_that_has_not_begun(self) -> None:
        bundle = standing(State.INITIALIZED)
        retried(bundle)
        assert moves_of(bundle) == [("retry", "initialized", "booking_show")]
        hear(initialized(bundle))
        assert len(sent("BookShowTickets")) == 1

    def test_gives_another_deadline_and_is_stuck_no_more(self, settings: Settings) -> None:
        bundle = standing(State.BOOKING_TAXI)
        VipBundle.objects.filter(id=bundle.id).update(stuck_at=NOON)
        settings.VIP_BUNDLE_DEADLINE_MINUTES = 7
        answered = retried(bundle, at=NOON)
        for known in (answered, stored(bundle)):
            assert (known.deadline_at, known.stuck_at) == (NOON + timedelta(minutes=7), None)

    def test_stays_in_the_log_and_the_audit_trail(self) -> None:
        bundle, act = standing(State.BOOKING_TAXI), staff_act(reason="the service is back")
        retry_step(vip_bundle_id=bundle.id, act=act)
        move = BundleMove.objects.filter(bundle=bundle).latest("id")
        assert (move.message_type, move.message_id, move.by, move.at) == ("retry", None, act.by, act.at)
        assert (move.from_state, move.to_state, move.reason) == ("booking_taxi", "booking_taxi", "the service is back")
        assert [each["type"] for each in move.sent] == ["BookTaxi"]
        assert audited(bundle)[-1] == ("bundle_step_retried", "booking_taxi", "booking_taxi", act.by)
        entry = AuditEntry.objects.latest("id")
        assert (entry.reason, entry.actor) == ("the service is back", act.actor)

    def test_goes_on_when_the_answer_comes_after_all(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        retried(bundle)
        hear(inbound_booked(bundle), inbound_booked(bundle))
        assert state_of(bundle) == "booking_return_flight"
        hear(inbound_failed(bundle))
        assert state_of(bundle) == "booking_return_flight"

    @pytest.mark.parametrize("state", ENDS)
    def test_is_refused_after_the_end(self, state: State) -> None:
        bundle, act = standing(state), staff_act()
        with leaving_nothing(), pytest.raises(BundleEnded) as refusal:
            retry_step(vip_bundle_id=bundle.id, act=act)
        assert_says_it_has_ended(refusal.value, state)

    def test_needs_a_bundle(self) -> None:
        with pytest.raises(VipBundle.DoesNotExist):
            retry_step(vip_bundle_id=uuid4(), act=staff_act())


class TestRollBack:
    @pytest.mark.parametrize(("state", "refunds", "flights"), TAKEN_BACK)
    def test_takes_back_what_is_booked(self, state: State, refunds: int, flights: int) -> None:
        bundle = standing(state)
        tickets = stored(bundle).facts().ticket_ids
        assert rolled_back(bundle).state == "failed"
        assert {each["ticket_id"] for each in sent("RefundTicket")} == tickets
        assert (len(tickets), len(sent("CancelFlightTickets"))) == (refunds, flights)
        assert sent("VipBundleFinalized_v1") == [{"vip_bundle_id": str(bundle.id), "success": False}]
        assert moves_of(bundle)[-2:] == [("roll back", state, "rolling_back"), ("roll back", "rolling_back", "failed")]

    def test_does_not_wait_for_tickets(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_made(bundle), confirmed(bundle))
        rolled_back(bundle)
        assert len(sent("RefundTicket")) == 1
        late = confirmed(bundle)
        hear(late, late)
        assert len(sent("RefundTicket")) == 2
        assert sent("RefundTicket")[-1] == {"ticket_id": late.ticket_id}

    def test_takes_back_what_is_booked_later(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        rolled_back(bundle)
        hear(inbound_booked(bundle), inbound_booked(bundle), taxi_failed(bundle))
        assert [each["flight_ticket_id"] for each in sent("CancelFlightTickets")] == [["i1", "i2"]]
        assert len(sent("VipBundleFinalized_v1")) == 1

    def test_begins_nothing_afterwards(self) -> None:
        bundle = standing(State.INITIALIZED)
        rolled_back(bundle)
        hear(initialized(bundle))
        assert (state_of(bundle), sent("BookShowTickets")) == ("failed", [])

    def test_stays_in_the_log_and_the_audit_trail_with_its_reason(self) -> None:
        bundle, act = standing(State.BOOKING_TAXI), staff_act(reason="the customer is ill")
        roll_back(vip_bundle_id=bundle.id, act=act)
        assert stored(bundle).failure_reason == "the customer is ill"
        assert stored(bundle).finalized_at == act.at
        assert set(
            BundleMove.objects.filter(bundle=bundle, message_type="roll back").values_list("message_id", "by", "at")
        ) == {(None, act.by, act.at)}
        assert [row[0] for row in audited(bundle)[-2:]] == ["bundle_rolled_back", "bundle_failed"]
        for entry in AuditEntry.objects.order_by("-id")[:2]:
            assert (entry.reason, entry.actor, entry.by) == ("the customer is ill", act.actor, act.by)

    def test_ends_what_was_stuck(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        VipBundle.objects.filter(id=bundle.id).update(stuck_at=NOON)
        assert rolled_back(bundle).stuck_at is None
        assert stored(bundle).stuck_at is None

    @pytest.mark.parametrize("state", ENDS)
    def test_is_refused_after_the_end(self, state: State) -> None:
        bundle, act = standing(state), staff_act()
        with leaving_nothing(), pytest.raises(BundleEnded) as refusal:
            roll_back(vip_bundle_id=bundle.id, act=act)
        assert_says_it_has_ended(refusal.value, state)

    def test_needs_a_bundle(self) -> None:
        with pytest.raises(VipBundle.DoesNotExist):
            roll_back(vip_bundle_id=uuid4(), act=staff_act())


@pytest.mark.parametrize("repair", [retry_step, roll_back])
@pytest.mark.parametrize("table", ["vip_bundles_bundlemove", "audit_auditentry", "outbox_message", "outbox_delivery"])
class TestRepairs:
    def test_leave_nothing_when_a_part_fails(self, repair: Callable[..., VipBundle], table: str) -> None:
        bundle, act = standing(State.BOOKING_TAXI), staff_act(reason="why")
        with leaving_nothing(), refusing_inserts(table), pytest.raises(ProgrammingError, match="broken"):
            repair(vip_bundle_id=bundle.id, act=act)

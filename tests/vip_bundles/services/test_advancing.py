"""What a bundle makes of each message: its state, facts, log, audit rows and the messages that follow."""

from uuid import uuid4

import pytest
from django.utils import timezone

from tests.factories import staff_act
from tests.vip_bundles.stored import (
    all_confirmed,
    audited,
    booking_failed,
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    moves_of,
    return_booked,
    sent,
    standing,
    state_of,
    stored,
    taxi_booked,
    taxi_failed,
)
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.models import Message as StoredMessage
from vip_bundles.facts import State
from vip_bundles.models import BundleMove, BundleTicket, VipBundle
from vip_bundles.services import roll_back

pytestmark = pytest.mark.django_db

BY_ITSELF = "vip bundles"


class TestAdvance:
    def test_stores_facts_log_audit_and_messages(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        [answer] = hear(inbound_booked(bundle))
        known = stored(bundle)
        assert (known.state, known.inbound_ticket_ids) == ("booking_return_flight", ["i1", "i2"])
        assert known.inbound_booked_at == answer.published_at
        move = BundleMove.objects.filter(bundle=bundle).latest("id")
        assert (move.message_type, move.message_id, move.by) == ("FlightBooked_v1", answer.id, BY_ITSELF)
        assert (move.from_state, move.to_state) == ("booking_inbound_flight", "booking_return_flight")
        asked = StoredMessage.objects.latest("sequence")
        assert move.sent == [{"type": "BookFlight", **asked.payload}]
        assert (asked.type, asked.payload["idempotency_key"]) == ("BookFlight", f"{bundle.id}:return")
        assert asked.headers["causation_id"] == str(answer.id)
        assert audited(bundle)[-1] == (
            "bundle_books_return_flight",
            "booking_inbound_flight",
            "booking_return_flight",
            BY_ITSELF,
        )

    def test_stores_tickets_as_they_were_confirmed(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        messages = hear(*all_confirmed(bundle))
        known = BundleTicket.objects.filter(bundle=bundle).values_list("ticket_id", "confirmed_at")
        assert {(str(ticket_id), at) for ticket_id, at in known} == {
            (message.aggregateid, message.published_at) for message in messages
        }
        assert state_of(bundle) == "booking_show"

    def test_confirms_a_ticket_whose_printing_was_told_first(self) -> None:
        bundle, printed_at = standing(State.BOOKING_SHOW), timezone.now()
        BundleTicket.objects.create(bundle=bundle, ticket_id=uuid4(), printed_at=printed_at, file_name="a.html")
        assert stored(bundle).facts().ticket_ids == set()
        [message] = hear(confirmed(bundle, str(BundleTicket.objects.get().ticket_id)))
        ticket = BundleTicket.objects.get()
        assert (ticket.confirmed_at, ticket.printed_at, ticket.file_name) == (
            message.published_at,
            printed_at,
            "a.html",
        )
        assert stored(bundle).facts().ticket_ids == {message.aggregateid}

    def test_takes_tickets_before_their_booking(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(*all_confirmed(bundle))
        hear(booking_made(bundle))
        assert state_of(bundle) == "booking_inbound_flight"
        assert len(stored(bundle).facts().ticket_ids) == 3
        assert len(sent("BookFlight")) == 1

    def test_logs_each_move_through_a_rollback_with_its_reason(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        hear(taxi_failed(bundle))
        *_, back, failed = BundleMove.objects.filter(bundle=bundle)
        assert (back.from_state, back.to_state) == ("booking_taxi", "rolling_back")
        assert [each["type"] for each in back.sent] == ["RefundTicket"] * 3 + ["CancelFlightTickets"] * 2
        assert (failed.from_state, failed.to_state) == ("rolling_back", "failed")
        assert failed.sent == [{"type": "VipBundleFinalized_v1", "vip_bundle_id": str(bundle.id), "success": False}]
        assert audited(bundle)[-2:] == [
            ("bundle_rolled_back", "booking_taxi", "rolling_back", BY_ITSELF),
            ("bundle_failed", "rolling_back", "failed", BY_ITSELF),
        ]
        reasons = AuditEntry.objects.filter(action__in=["bundle_rolled_back", "bundle_failed"])
        assert set(reasons.values_list("reason", flat=True)) == {stored(bundle).failure_reason} == {"no taxi"}

    def test_ends_at_the_time_of_the_last_message(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        assert stored(bundle).finalized_at is None
        [answer] = hear(taxi_booked(bundle))
        assert (state_of(bundle), stored(bundle).finalized_at) == ("finalized", answer.published_at)
        assert sent("VipBundleFinalized_v1") == [{"vip_bundle_id": str(bundle.id), "success": True}]

    def test_ends_unbooked_when_the_show_is_sold_out(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_failed(bundle))
        assert moves_of(bundle)[-1] == ("BookingFailed_v1", "booking_show", "failed")
        assert stored(bundle).failure_reason == "sold out"
        assert sent("RefundTicket") == sent("CancelFlightTickets") == []

    def test_goes_through_a_step_whose_answer_came_before_its_turn(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT, taxi=False)
        hear(return_booked(bundle))
        assert state_of(bundle) == "booking_inbound_flight"
        hear(inbound_booked(bundle))
        assert moves_of(bundle)[-2:] == [
            ("FlightBooked_v1", "booking_inbound_flight", "booking_return_flight"),
            ("FlightBooked_v1", "booking_return_flight", "finalized"),
        ]
        assert len(sent("BookFlight")) == len(sent("VipBundleFinalized_v1")) == 1

    def test_takes_back_what_is_confirmed_or_booked_after_the_failure(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="the customer is ill"))
        late, ended_at = confirmed(bundle), stored(bundle).finalized_at
        hear(late, inbound_booked(bundle), taxi_booked(bundle))
        assert sent("RefundTicket")[-1] == {"ticket_id": late.ticket_id}
        assert [each["flight_ticket_id"] for each in sent("CancelFlightTickets")] == [["i1", "i2"]]
        assert [each["taxi_booking_id"] for each in sent("CancelTaxi")] == ["t1"]
        assert [move[1:] for move in moves_of(bundle)[-3:]] == [("failed", "failed")] * 3
        assert audited(bundle)[-1] == ("bundle_took_back_late", "failed", "failed", BY_ITSELF)
        assert AuditEntry.objects.latest("id").reason == "the customer is ill"
        assert (stored(bundle).finalized_at, len(sent("VipBundleFinalized_v1"))) == (ended_at, 1)

    def test_goes_on_by_itself_when_it_was_stuck(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        VipBundle.objects.filter(id=bundle.id).update(stuck_at=timezone.now())
        hear(taxi_booked(bundle))
        assert (state_of(bundle), stored(bundle).stuck_at) == ("finalized", None)

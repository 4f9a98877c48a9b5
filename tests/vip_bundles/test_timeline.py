"""What has happened to a bundle, in its order."""

from typing import Any

import pytest

from printing.events import TicketPrintedV1
from tests.bookings.published import names
from tests.factories import made_bundle, staff_act
from tests.vip_bundles.stored import (
    ADVANCING,
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    inbound_failed,
    standing,
    stored,
    tell,
)
from tests.working import deliver_all, deliver_due
from tickets_project.outbox.models import Delivery
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.services import retry_step, roll_back
from vip_bundles.timeline import Entry, timeline
from vip_bundles.wording import TYPES

pytestmark = pytest.mark.django_db

Line = tuple[str, str, str, list[str]]


def entries(bundle: VipBundle) -> list[Entry]:
    return timeline(stored(bundle))


def moved(entry: Entry) -> list[str]:
    return [f"{move.from_state} > {move.to_state}" for move in entry.moves]


def lines(bundle: VipBundle) -> list[Line]:
    return [(entry.direction, entry.kind, entry.what, moved(entry)) for entry in entries(bundle)]


def whats(bundle: VipBundle) -> list[str]:
    return [entry.what for entry in entries(bundle)]


def heard(what: str, *moves: str) -> Line:
    return ("in", "event", what, list(moves))


def sent(what: str) -> Line:
    return ("out", "command", what, [])


class TestTimeline:
    def test_begins_with_the_wish(self) -> None:
        bundle = made_bundle()
        [wish] = entries(bundle)
        assert (wish.what, wish.direction, wish.moves, wish.by) == ("VipBundleInitialized_v1", "in", (), "")
        assert [(delivery.handler, delivery.status) for delivery in wish.deliveries] == [
            ("vip_bundles.on_initialized", "pending")
        ]

    def test_tells_a_whole_success(self) -> None:
        assert lines(standing(State.FINALIZED, tickets=2)) == [
            heard("VipBundleInitialized_v1", "initialized > booking_show"),
            sent("BookShowTickets"),
            heard("BookingMade_v1", "booking_show > booking_inbound_flight"),
            heard("TicketBookingConfirmed_v1"),
            heard("TicketBookingConfirmed_v1"),
            sent("BookFlight"),
            heard("FlightBooked_v1", "booking_inbound_flight > booking_return_flight"),
            sent("BookFlight"),
            heard("FlightBooked_v1", "booking_return_flight > booking_taxi"),
            sent("BookTaxi"),
            heard("TaxiBooked_v1", "booking_taxi > finalized"),
            ("out", "event", "VipBundleFinalized_v1", []),
        ]

    def test_tells_both_moves_of_a_failure(self) -> None:
        assert lines(standing(State.FAILED, tickets=1))[-5:] == [
            heard("TaxiBookingFailed_v1", "booking_taxi > rolling_back", "rolling_back > failed"),
            sent("RefundTicket"),
            sent("CancelFlightTickets"),
            sent("CancelFlightTickets"),
            ("out", "event", "VipBundleFinalized_v1", []),
        ]

    def test_tells_what_is_taken_back_late(self) -> None:
        bundle = standing(State.FAILED, tickets=1)
        hear(confirmed(bundle))
        assert lines(bundle)[-2:] == [heard("TicketBookingConfirmed_v1", "failed > failed"), sent("RefundTicket")]

    def test_tells_what_was_said_again_without_a_move(self) -> None:
        bundle = standing(State.BOOKING_RETURN_FLIGHT, tickets=1)
        hear(inbound_booked(bundle))
        assert lines(bundle)[-1] == heard("FlightBooked_v1")

    def test_has_each_message_with_its_id_and_words(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        [message] = hear(booking_made(bundle))
        [entry] = [entry for entry in entries(bundle) if entry.message_id == message.id]
        assert (entry.at, entry.what, entry.by) == (message.published_at, "BookingMade_v1", "vip bundles")
        assert entry.tells == "3 tickets"

    def test_has_the_deliveries_to_every_handler(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        [message] = hear(confirmed(bundle))
        [entry] = [entry for entry in entries(bundle) if entry.message_id == message.id]
        expected = Delivery.objects.filter(message=message).order_by("id")
        assert list(entry.deliveries) == list(expected)
        statuses = {delivery.handler: delivery.status for delivery in entry.deliveries}
        assert statuses["vip_bundles.on_ticket_confirmed"] == "delivered"
        assert statuses["printing.print_ticket"] == "pending"

    def test_tells_what_a_person_asked_for(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        act = staff_act()
        retry_step(vip_bundle_id=bundle.id, act=act.because("nothing came"))
        *_, request, command = entries(bundle)
        assert (request.kind, request.what, request.direction, request.by) == ("request", "retry", "in", act.by)
        assert (request.at, request.message_id, request.deliveries, request.tells) == (act.at, None, (), "")
        assert moved(request) == ["booking_inbound_flight > booking_inbound_flight"]
        assert command.what == "BookFlight"

    def test_tells_each_request_of_one_person(self) -> None:
        bundle, ann = standing(State.BOOKING_INBOUND_FLIGHT), staff_act()
        for _ in range(2):
            retry_step(vip_bundle_id=bundle.id, act=staff_act(actor=ann.actor))
        assert whats(bundle)[-4:] == ["retry", "BookFlight"] * 2

    def test_tells_why_a_person_ended_it(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT, tickets=1)
        retry_step(vip_bundle_id=bundle.id, act=staff_act(reason="nothing came"))
        roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="the customer is ill"))
        *_, retry, _, request, _, _ = entries(bundle)
        assert (retry.what, retry.tells, retry.reason) == ("retry", "", "nothing came")
        assert (request.what, request.tells, request.reason) == ("roll back", *["the customer is ill"] * 2)
        assert moved(request) == ["booking_inbound_flight > rolling_back", "rolling_back > failed"]
        assert whats(bundle)[-2:] == ["RefundTicket", "VipBundleFinalized_v1"]

    def test_has_what_becomes_of_its_tickets(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT, tickets=1)
        [ticket_id] = bundle.tickets.values_list("ticket_id", flat=True)
        tell(TicketPrintedV1(ticket_id=str(ticket_id), file_name="a.html", booking_id=str(bundle.booking_id)))
        assert entries(bundle)[-1].tells == f"ticket {ticket_id}: a.html"

    @pytest.mark.parametrize("status", ["pending", "parked", "discarded"])
    def test_has_the_tickets_that_it_has_not_heard_of(self, status: str) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT, tickets=1)
        before = whats(bundle)
        [message] = tell(confirmed(bundle))
        tell(confirmed(made_bundle()))
        Delivery.objects.filter(message=message).update(status=status)
        assert whats(bundle) == [*before, "TicketBookingConfirmed_v1"]
        assert entries(bundle)[-1].message_id == message.id

    def test_has_a_failure_that_waits(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_made(bundle))
        tell(inbound_failed(bundle))
        deliver_due(*ADVANCING)
        last = entries(bundle)[-1]
        assert (last.what, last.moves) == ("FlightBookingFailed_v1", ())
        assert [(each.status, each.last_error) for each in last.deliveries] == [
            ("pending", "0 of 3 tickets are confirmed; all of them are to be refunded.")
        ]

    def test_has_the_messages_of_the_process_alone(self) -> None:
        bundle = made_bundle()
        deliver_all("vip_bundles.on_initialized", "bookings.book_show_tickets", *ADVANCING)
        assert "booking.created" in names()
        assert whats(bundle) == [
            "VipBundleInitialized_v1",
            "BookShowTickets",
            "BookingMade_v1",
            *["TicketBookingConfirmed_v1"] * 3,
            "BookFlight",
        ]
        assert set(whats(bundle)) <= TYPES

    def test_has_nothing_of_other_bundles(self) -> None:
        standing(State.FAILED)
        bundle = made_bundle()
        assert whats(bundle) == ["VipBundleInitialized_v1"]

    def test_is_in_the_order_of_time(self) -> None:
        bundle = standing(State.FAILED)
        times = [entry.at for entry in entries(bundle)]
        assert times == sorted(times)

    def test_asks_the_database_as_often_for_much_as_for_little(self, django_assert_num_queries: Any) -> None:
        little, much = made_bundle(tickets=1), standing(State.FAILED, tickets=20)
        for bundle in (stored(little), stored(much)):
            with django_assert_num_queries(5):
                timeline(bundle)

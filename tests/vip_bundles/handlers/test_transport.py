"""The transport commands against the simulated service: one booking per key, and only its 409 is a failure."""

from dataclasses import replace

import pytest
import requests

from tests.bookings.money import Calls, Fault
from tests.bookings.published import names, payload
from tests.vip_bundles.handlers.traffic import (
    FLIGHT,
    TAXI,
    TROUBLES,
    Booking,
    each_booking,
    flight_tickets,
    fly,
    ids_in,
    ride,
    taxis,
)
from tickets_project.gateway import transportation
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.gateway.simulator.transportation import SOLD_OUT_FLIGHT
from vip_bundles.commands import CancelFlightTickets, CancelTaxi
from vip_bundles.handlers.transport import book_flight, book_taxi, cancel_flight_tickets, cancel_taxi


@pytest.mark.django_db
class TestBookFlight:
    @pytest.mark.usefixtures("simulator")
    def test_books_a_seat_for_each_passenger(self) -> None:
        book_flight(FLIGHT)
        booked = transportation.flight_tickets()
        assert [ticket.passenger_name for ticket in booked] == FLIGHT.passengers
        assert {(ticket.flight_id, ticket.reference_id) for ticket in booked} == {(FLIGHT.to_flight_id, "bundle-1")}

    def test_passes_all_that_it_is_given_on(self, simulator: Simulator, http: requests.Session) -> None:
        book_flight(FLIGHT)
        [first, *_] = http.get(f"{simulator.url}/transportation-api/flight-tickets").json()
        assert (first["customer_email"], first["idempotency_key"]) == ("ada@customers.example", "bundle-1:inbound")

    @pytest.mark.usefixtures("simulator")
    def test_tells_the_tickets(self) -> None:
        book_flight(FLIGHT)()
        assert payload("FlightBooked_v1") == {
            "flight_id": FLIGHT.to_flight_id,
            "flight_tickets_ids": flight_tickets(),
            "reference_id": "bundle-1",
        }

    @pytest.mark.usefixtures("simulator")
    def test_tells_that_no_seats_are_left(self) -> None:
        book_flight(replace(FLIGHT, to_flight_id=SOLD_OUT_FLIGHT))()
        told = payload("FlightBookingFailed_v1")
        assert (told["flight_id"], told["reference_id"]) == (SOLD_OUT_FLIGHT, "bundle-1")
        assert told["failure_reason"] == "The flight has no seats left for all passengers."
        assert names() == ["FlightBookingFailed_v1"]

    @pytest.mark.usefixtures("simulator")
    def test_books_each_leg_under_its_own_key(self) -> None:
        book_flight(FLIGHT)
        book_flight(replace(FLIGHT, idempotency_key="bundle-1:return", to_flight_id="back"))
        assert [ticket.flight_id for ticket in transportation.flight_tickets()] == [FLIGHT.to_flight_id] * 3 + [
            "back"
        ] * 3


@pytest.mark.django_db
class TestBookTaxi:
    def test_books_one_for_all_in_the_name_of_the_first(self, simulator: Simulator, http: requests.Session) -> None:
        book_taxi(TAXI)
        [booking] = http.get(f"{simulator.url}/transportation-api/taxi-booking").json()
        assert booking == {
            "booking_id": booking["booking_id"],
            "customer_email": "ada@customers.example",
            "passenger_name": "Ada",
            "number_of_passengers": 3,
            "reference_id": "bundle-1",
            "idempotency_key": "bundle-1:taxi",
            "cancelled": False,
        }

    @pytest.mark.usefixtures("simulator")
    def test_tells_the_booking(self) -> None:
        book_taxi(TAXI)()
        [taxi_booking_id] = taxis()
        assert payload("TaxiBooked_v1") == {"taxi_booking_id": taxi_booking_id, "reference_id": "bundle-1"}

    def test_tells_that_there_is_none(self, simulator: Simulator, http: requests.Session) -> None:
        http.put(f"{simulator.url}/_simulator/taxis", json={"available": 0})
        book_taxi(TAXI)()
        assert payload("TaxiBookingFailed_v1") == {
            "failure_reason": "No taxi is to be had.",
            "reference_id": "bundle-1",
        }
        assert names() == ["TaxiBookingFailed_v1"]


@each_booking
@pytest.mark.django_db
class TestBooking:
    @pytest.mark.usefixtures("simulator")
    def test_records_nothing_before_its_answer_is_committed(self, booking: Booking) -> None:
        booking.handler(booking.command)
        assert names() == []

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize(
        ("trouble", "error"),
        [
            *[(trouble, TemporaryUpstreamError) for trouble in TROUBLES],
            *[({"status": status}, TemporaryUpstreamError) for status in (200, 204, 408, 429)],
            *[({"status": status}, PermanentUpstreamError) for status in (400, 401, 403, 404, 410, 422)],
        ],
        ids=str,
    )
    def test_takes_nothing_but_409_for_a_failure(
        self, booking: Booking, fault: Fault, trouble: dict[str, object], error: type[Exception]
    ) -> None:
        fault(booking.operation, **trouble)
        with pytest.raises(error):
            booking.handler(booking.command)


class TestCancelFlightTickets:
    def test_asks_once_for_each_ticket(self, calls: Calls) -> None:
        ids = fly()
        cancel_flight_tickets(CancelFlightTickets(flight_ticket_id=ids))
        assert ids_in(calls("flights.cancel")) == ids
        assert all(ticket.cancelled for ticket in transportation.flight_tickets())

    @pytest.mark.usefixtures("simulator")
    def test_leaves_the_tickets_that_are_not_named(self) -> None:
        first, *_ = fly()
        cancel_flight_tickets(CancelFlightTickets(flight_ticket_id=[first]))
        assert [ticket.cancelled for ticket in transportation.flight_tickets()] == [True, False, False]

    def test_asks_nothing_for_no_tickets(self, calls: Calls) -> None:
        cancel_flight_tickets(CancelFlightTickets(flight_ticket_id=[]))
        assert calls("flights.cancel") == []

    def test_goes_on_past_those_that_are_cancelled(self, calls: Calls) -> None:
        ids = fly()
        transportation.cancel_flight_ticket(ids[1])
        cancel_flight_tickets(CancelFlightTickets(flight_ticket_id=ids))
        assert [call["status"] for call in calls("flights.cancel")] == [204, 204, 404, 204]

    def test_goes_on_past_one_that_is_refused_for_good(self, fault: Fault) -> None:
        ids = fly()
        fault("flights.cancel", status=403)
        with pytest.raises(PermanentUpstreamError):
            cancel_flight_tickets(CancelFlightTickets(flight_ticket_id=ids))
        assert [ticket.cancelled for ticket in transportation.flight_tickets()] == [False, True, True]

    def test_stops_at_trouble_that_may_pass(self, fault: Fault, calls: Calls) -> None:
        ids = fly()
        fault("flights.cancel", count=3, status=503)
        with pytest.raises(TemporaryUpstreamError):
            cancel_flight_tickets(CancelFlightTickets(flight_ticket_id=ids))
        assert len(calls("flights.cancel")) == 1


class TestCancelTaxi:
    @pytest.mark.usefixtures("simulator")
    def test_cancels_it_alone(self) -> None:
        taxi_booking_id = ride()
        book_taxi(replace(TAXI, idempotency_key="bundle-2:taxi"))
        for _ in range(2):
            cancel_taxi(CancelTaxi(taxi_booking_id=taxi_booking_id, reference_id="bundle-1"))
        assert [booking.cancelled for booking in transportation.taxi_bookings()] == [True, False]

"""The transportation client against the simulated transportation service."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from structlog.testing import capture_logs

from tickets_project.gateway import transportation
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.gateway.simulator.transportation import SOLD_OUT_FLIGHT
from tickets_project.gateway.transportation import FlightTicket, NoSeatsLeft, NoTaxiAvailable, TaxiBooking

Answering = Callable[[bytes], None]
Calls = Callable[..., list[dict[str, Any]]]
Fault = Callable[..., None]

FLIGHT: dict[str, Any] = {
    "customer_email": "ada@customers.example",
    "flight_id": "f-1",
    "passenger_names": ["Ada", "Zażółć"],
    "reference_id": "bundle-1",
    "idempotency_key": "bundle-1:inbound",
}
TAXI: dict[str, Any] = {
    "customer_email": "ada@customers.example",
    "passenger_name": "Ada",
    "number_of_passengers": 2,
    "reference_id": "bundle-1",
    "idempotency_key": "bundle-1:taxi",
}
# Whatever is refused, and what is not understood; a refusal is for good.
NO_409 = [
    ({"status": 400}, PermanentUpstreamError),
    ({"status": 404}, PermanentUpstreamError),
    ({"status": 410}, PermanentUpstreamError),
    ({"status": 422}, PermanentUpstreamError),
    ({"status": 429}, TemporaryUpstreamError),
    ({"status": 200}, TemporaryUpstreamError),
    ({"status": 503}, TemporaryUpstreamError),
]


def book_flight(**changes: Any) -> list[str]:
    return transportation.book_flight(**FLIGHT | changes)


def book_taxi(**changes: Any) -> str:
    return transportation.book_taxi(**TAXI | changes)


def answer(status: int, content: object) -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return b"HTTP/1.1 %d Made up\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


class TestBookFlight:
    @pytest.mark.usefixtures("simulator")
    def test_returns_a_ticket_for_each_passenger(self) -> None:
        first, second = book_flight()
        assert transportation.flight_tickets() == [
            FlightTicket(
                ticket_id=ticket_id, flight_id="f-1", passenger_name=name, reference_id="bundle-1", cancelled=False
            )
            for ticket_id, name in [(first, "Ada"), (second, "Zażółć")]
        ]

    def test_sends_the_fields_of_the_contract(self, simulator: Simulator, http: requests.Session) -> None:
        first, second = book_flight()
        fields = {name: value for name, value in FLIGHT.items() if name != "passenger_names"}
        assert http.get(f"{simulator.url}/transportation-api/flight-tickets").json() == [
            {**fields, "ticket_id": first, "passenger_name": "Ada", "cancelled": False},
            {**fields, "ticket_id": second, "passenger_name": "Zażółć", "cancelled": False},
        ]

    def test_sends_its_key(self, calls: Calls) -> None:
        book_flight()
        assert [call["idempotency_key"] for call in calls("flights.book")] == ["bundle-1:inbound"]

    @pytest.mark.usefixtures("simulator")
    def test_returns_the_same_tickets_for_the_same_key(self) -> None:
        assert book_flight() == book_flight()
        assert len(transportation.flight_tickets()) == 2

    def test_books_once_when_the_answer_was_lost(self, fault: Fault) -> None:
        fault("flights.book", drop="after")
        with pytest.raises(TemporaryUpstreamError):
            book_flight()
        assert [ticket.ticket_id for ticket in transportation.flight_tickets()] == book_flight()

    @pytest.mark.usefixtures("simulator")
    def test_says_that_no_seats_are_left(self) -> None:
        with pytest.raises(NoSeatsLeft) as caught:
            book_flight(flight_id=SOLD_OUT_FLIGHT)
        assert str(caught.value) == "The flight has no seats left for all passengers."
        assert transportation.flight_tickets() == []

    @pytest.mark.usefixtures("simulator")
    def test_books_under_a_key_that_found_no_seats_before(self) -> None:
        with pytest.raises(NoSeatsLeft):
            book_flight(flight_id=SOLD_OUT_FLIGHT)
        assert len(book_flight()) == 2

    @pytest.mark.parametrize(
        "content",
        [b"", b"<html>", b"\xff", b'{"error": "\\ud800"}', {}, {"error": None}, {"error": ""}, {"error": "\0 "}],
        ids=["nothing", "no json", "no utf-8", "a lone surrogate", "no error", "null", "empty", "blank"],
    )
    def test_says_it_by_itself_when_the_service_gives_no_reason(self, answering: Answering, content: object) -> None:
        answering(answer(409, content))
        with pytest.raises(NoSeatsLeft) as caught:
            book_flight()
        assert str(caught.value) == "The flight has no seats left for all passengers."

    def test_leaves_the_service_s_own_words_to_the_log(
        self, answering: Answering, caplog: pytest.LogCaptureFixture
    ) -> None:
        answering(answer(409, {"error": f"Full{'!' * 1000}"}))
        with caplog.at_level("INFO"), pytest.raises(NoSeatsLeft) as caught:
            book_flight()
        assert "Full" not in str(caught.value)
        [logged] = [record.getMessage() for record in caplog.records if "transport_refused" in record.getMessage()]
        assert "Full!!!" in logged
        assert "f-1" in logged
        assert len(logged) < 800

    @pytest.mark.parametrize(("trouble", "error"), NO_409)
    def test_takes_nothing_else_for_no_seats(
        self, fault: Fault, trouble: dict[str, object], error: type[Exception]
    ) -> None:
        fault("flights.book", **trouble)
        with pytest.raises(error):
            book_flight()

    def test_is_permanent_for_what_the_service_does_not_take(self, calls: Calls) -> None:
        with pytest.raises(PermanentUpstreamError, match=r"at `\$\.passenger_names`") as caught:
            book_flight(passenger_names=[])
        assert caught.value.status == 400
        assert len(calls("flights.book")) == 1

    @pytest.mark.parametrize(
        "content",
        [
            b"<html>",
            {},
            {"ticket_ids": None},
            {"ticket_ids": "ab"},
            {"ticket_ids": []},
            {"ticket_ids": ["a"]},
            {"ticket_ids": ["a", "b", "c"]},
            {"ticket_ids": ["a", 2]},
            {"ticket_ids": ["a", ""]},
            {"ticket_ids": ["a", ".."]},
            {"ticket_ids": ["a", "b/c"]},
            {"ticket_ids": ["a", "b\0"]},
            {"ticket_ids": ["a", "b\n"]},
            {"ticket_ids": ["a", "b" * 101]},
        ],
    )
    def test_is_temporary_for_a_strange_answer(self, answering: Answering, content: object) -> None:
        answering(answer(201, content))
        with pytest.raises(TemporaryUpstreamError, match=r"PUT transportation-api/flight-tickets"):
            book_flight()

    def test_tells_how_many_tickets_it_got(self, answering: Answering) -> None:
        answering(answer(201, {"ticket_ids": ["a"]}))
        with pytest.raises(TemporaryUpstreamError, match=r"^answered 201 \(1 tickets for 2 passengers\)"):
            book_flight()

    def test_takes_200_for_no_answer_of_the_contract(self, answering: Answering) -> None:
        answering(answer(200, {"ticket_ids": ["a", "b"]}))
        with pytest.raises(TemporaryUpstreamError, match=r"^answered 200"):
            book_flight()

    def test_keeps_the_spelling_of_the_ids(self, answering: Answering) -> None:
        ids = ["5F0C7B7E-4C4B-4C6B-9C0E-3A9D3C6C7E11", "T_" + "9" * 98]
        answering(answer(201, {"ticket_ids": ids}))
        assert book_flight() == ids

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("flights.book", book_flight)


class TestCancelFlightTicket:
    @pytest.mark.usefixtures("simulator")
    def test_cancels_this_ticket_alone(self) -> None:
        first, _second = book_flight()
        transportation.cancel_flight_ticket(first)
        assert [ticket.cancelled for ticket in transportation.flight_tickets()] == [True, False]

    @pytest.mark.usefixtures("simulator")
    def test_succeeds_for_a_cancelled_ticket_and_logs_its_id(self) -> None:
        first, _second = book_flight()
        with capture_logs() as lines:
            transportation.cancel_flight_ticket(first)
            assert lines == []
            transportation.cancel_flight_ticket(first)
        assert lines == [{"event": "flight_ticket_already_cancelled", "ticket_id": first, "log_level": "info"}]

    def test_can_be_repeated_when_the_answer_was_lost(self, fault: Fault) -> None:
        first, _second = book_flight()
        fault("flights.cancel", drop="after")
        with pytest.raises(TemporaryUpstreamError):
            transportation.cancel_flight_ticket(first)
        transportation.cancel_flight_ticket(first)
        assert [ticket.cancelled for ticket in transportation.flight_tickets()] == [True, False]

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, PermanentUpstreamError),
            (403, PermanentUpstreamError),
            (409, PermanentUpstreamError),
            (410, PermanentUpstreamError),
            (200, TemporaryUpstreamError),
            (500, TemporaryUpstreamError),
        ],
    )
    def test_takes_nothing_else_for_cancelled(self, fault: Fault, status: int, error: type[Exception]) -> None:
        fault("flights.cancel", status=status)
        with pytest.raises(error):
            transportation.cancel_flight_ticket("t-1")

    @pytest.mark.parametrize("ticket_id", ["", ".", ".."])
    def test_refuses_an_id_that_no_url_holds(self, calls: Calls, ticket_id: str) -> None:
        with pytest.raises(ValueError, match="cannot be a name in a URL"):
            transportation.cancel_flight_ticket(ticket_id)
        assert calls("flights.cancel") == []


class TestFlightTickets:
    @pytest.mark.usefixtures("simulator")
    def test_returns_all_tickets_in_their_order(self) -> None:
        assert transportation.flight_tickets() == []
        ids = [*book_flight(), *book_flight(idempotency_key="bundle-1:return", flight_id="f-2")]
        assert [ticket.ticket_id for ticket in transportation.flight_tickets()] == ids

    def test_is_temporary_for_a_strange_answer(self, answering: Answering) -> None:
        answering(answer(200, [{"ticket_id": "a"}]))
        with pytest.raises(TemporaryUpstreamError):
            transportation.flight_tickets()

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("flights.list", transportation.flight_tickets)


class TestBookTaxi:
    @pytest.mark.usefixtures("simulator")
    def test_returns_the_booking(self) -> None:
        booking_id = book_taxi()
        assert transportation.taxi_bookings() == [
            TaxiBooking(
                booking_id=booking_id,
                passenger_name="Ada",
                number_of_passengers=2,
                reference_id="bundle-1",
                cancelled=False,
            )
        ]

    def test_sends_the_fields_of_the_contract(self, simulator: Simulator, http: requests.Session) -> None:
        booking_id = book_taxi()
        stored = http.get(f"{simulator.url}/transportation-api/taxi-booking").json()
        assert stored == [{**TAXI, "booking_id": booking_id, "cancelled": False}]

    def test_sends_its_key(self, calls: Calls) -> None:
        book_taxi()
        assert [call["idempotency_key"] for call in calls("taxis.book")] == ["bundle-1:taxi"]

    def test_books_once_when_the_answer_was_lost(self, fault: Fault) -> None:
        fault("taxis.book", drop="after")
        with pytest.raises(TemporaryUpstreamError):
            book_taxi()
        assert [booking.booking_id for booking in transportation.taxi_bookings()] == [book_taxi()]

    def test_says_that_there_is_none(self, simulator: Simulator, http: requests.Session) -> None:
        http.put(f"{simulator.url}/_simulator/taxis", json={"available": 0})
        with pytest.raises(NoTaxiAvailable, match=r"^No taxi is to be had\.$"):
            book_taxi()

    def test_says_it_by_itself_when_the_service_gives_no_reason(self, answering: Answering) -> None:
        answering(answer(409, b""))
        with pytest.raises(NoTaxiAvailable, match=r"^No taxi is to be had\.$"):
            book_taxi()

    @pytest.mark.parametrize(("trouble", "error"), NO_409)
    def test_takes_nothing_else_for_no_taxi(
        self, fault: Fault, trouble: dict[str, object], error: type[Exception]
    ) -> None:
        fault("taxis.book", **trouble)
        with pytest.raises(error):
            book_taxi()

    @pytest.mark.parametrize(
        "content", [b"<html>", {}, {"booking_id": None}, {"booking_id": 1}, {"booking_id": ""}, {"booking_id": "a/b"}]
    )
    def test_is_temporary_for_a_strange_answer(self, answering: Answering, content: object) -> None:
        answering(answer(201, content))
        with pytest.raises(TemporaryUpstreamError):
            book_taxi()

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("taxis.book", book_taxi)


class TestCancelTaxi:
    @pytest.mark.usefixtures("simulator")
    def test_succeeds_each_time_and_logs_the_id_of_a_cancelled_one(self) -> None:
        booking_id = book_taxi()
        with capture_logs() as lines:
            transportation.cancel_taxi(booking_id)
            assert lines == []
            transportation.cancel_taxi(booking_id)
        assert lines == [{"event": "taxi_already_cancelled", "booking_id": booking_id, "log_level": "info"}]
        assert [booking.cancelled for booking in transportation.taxi_bookings()] == [True]

    @pytest.mark.parametrize(("status", "error"), [(409, PermanentUpstreamError), (500, TemporaryUpstreamError)])
    def test_takes_nothing_else_for_cancelled(self, fault: Fault, status: int, error: type[Exception]) -> None:
        fault("taxis.cancel", status=status)
        with pytest.raises(error):
            transportation.cancel_taxi("b-1")


class TestTaxiBookings:
    @pytest.mark.usefixtures("simulator")
    def test_returns_all_bookings_in_their_order(self) -> None:
        assert transportation.taxi_bookings() == []
        ids = [book_taxi(), book_taxi(idempotency_key="bundle-2:taxi")]
        assert [booking.booking_id for booking in transportation.taxi_bookings()] == ids

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("taxis.list", transportation.taxi_bookings)

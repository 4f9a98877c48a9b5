"""The simulated transportation service: flights with seats that run out, and taxis.

Each flight has 100 seats, and there is any number of taxis. `PUT /_simulator/flights/{flight_id}` with `{"seats": n}`
and `PUT /_simulator/taxis` with `{"available": n}`, where null is any number, change that until the reset; what is
cancelled is free again. GET at the same addresses answers `{"seats": n, "free": n}` and `{"available": n}`.
"""

from collections import Counter
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from msgspec import Meta, Struct
from msgspec.structs import asdict

from tickets_project.gateway.simulator.bodies import Body, Text, parse_body
from tickets_project.gateway.simulator.control import PREFIX
from tickets_project.gateway.simulator.operations import Operation
from tickets_project.gateway.simulator.wire import Answer, Refusal, Request, json_answer

SOLD_OUT_FLIGHT = "00000000-0000-4000-8000-00000000f000"
"""The flight that has no seats unless it is given some, for all who want to see a booking fail."""

SEATS = 100
"""The seats of every other flight."""

_FLIGHTS = "/transportation-api/flight-tickets"
_TAXIS = "/transportation-api/taxi-booking"
_Number = Annotated[int, Meta(ge=0, le=1_000_000)]


class _FlightBooking(Body, frozen=True):
    customer_email: Text
    flight_id: Text
    passenger_names: Annotated[list[Text], Meta(min_length=1)]
    reference_id: Text
    idempotency_key: Text


class _FlightTicket(Struct):
    ticket_id: str
    flight_id: str
    passenger_name: str
    customer_email: str
    reference_id: str
    idempotency_key: str
    cancelled: bool = False


class _Seats(Body, frozen=True):
    seats: _Number


class Flights:
    """Every flight ticket booked; a flight is there once it is asked for."""

    def __init__(self) -> None:
        self.reset()

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""
        return (
            Operation("flights.book", "PUT", _FLIGHTS, self.book),
            Operation("flights.cancel", "DELETE", f"{_FLIGHTS}/{{ticket_id}}", self.cancel),
            Operation("flights.list", "GET", _FLIGHTS, self.listing),
        )

    def controls(self) -> tuple[Operation, ...]:
        """Return the table of its control routes."""
        return (
            Operation("flights.change", "PUT", f"{PREFIX}flights/{{flight_id}}", self.change),
            Operation("flights.show", "GET", f"{PREFIX}flights/{{flight_id}}", self.show),
        )

    def reset(self) -> None:
        """Forget all tickets and keys, and give every flight its seats again."""
        self._tickets: dict[str, _FlightTicket] = {}
        self._by_key: dict[str, list[str]] = {}
        self._seats = {SOLD_OUT_FLIGHT: 0}
        self._taken = Counter[str]()

    def book(self, request: Request) -> Answer:
        """Book a seat for each passenger or none; a key that has booked answers the same again, whatever the body."""
        booking = parse_body(request.body, _FlightBooking)
        if booking.idempotency_key not in self._by_key:
            self._book(booking)
        return json_answer(HTTPStatus.CREATED, {"ticket_ids": self._by_key[booking.idempotency_key]})

    def cancel(self, _request: Request, ticket_id: str) -> Answer:
        """Cancel a ticket, whose seat is free again."""
        ticket = self._tickets.get(ticket_id)
        if ticket is None or ticket.cancelled:
            raise Refusal(HTTPStatus.NOT_FOUND, f"There is no ticket {ticket_id}, or it is cancelled.")
        ticket.cancelled = True
        self._taken[ticket.flight_id] -= 1
        return Answer(HTTPStatus.NO_CONTENT)

    def listing(self, _request: Request) -> Answer:
        """Return all tickets, oldest first."""
        return json_answer(HTTPStatus.OK, list(self._tickets.values()))

    def change(self, request: Request, flight_id: str) -> Answer:
        """Set how many seats a flight has in all."""
        self._seats[flight_id] = parse_body(request.body, _Seats).seats
        return self.show(request, flight_id)

    def show(self, _request: Request, flight_id: str) -> Answer:
        """Return how many seats a flight has, and how many of them are free."""
        seats = self._seats.get(flight_id, SEATS)
        return json_answer(HTTPStatus.OK, {"seats": seats, "free": self._free(flight_id)})

    def _free(self, flight_id: str) -> int:
        return max(self._seats.get(flight_id, SEATS) - self._taken[flight_id], 0)

    def _book(self, booking: _FlightBooking) -> None:
        wanted, free = len(booking.passenger_names), self._free(booking.flight_id)
        if wanted > free:
            raise Refusal(
                HTTPStatus.CONFLICT, f"Seats left on the flight {booking.flight_id}: {free}, wanted: {wanted}."
            )
        tickets = [_ticket(booking, name) for name in booking.passenger_names]
        self._tickets |= {ticket.ticket_id: ticket for ticket in tickets}
        self._by_key[booking.idempotency_key] = [ticket.ticket_id for ticket in tickets]
        self._taken[booking.flight_id] += wanted


def _ticket(booking: _FlightBooking, passenger_name: str) -> _FlightTicket:
    return _FlightTicket(
        ticket_id=str(uuid4()),
        flight_id=booking.flight_id,
        passenger_name=passenger_name,
        customer_email=booking.customer_email,
        reference_id=booking.reference_id,
        idempotency_key=booking.idempotency_key,
    )


class _Taxi(Body, frozen=True):
    customer_email: Text
    passenger_name: Text
    number_of_passengers: Annotated[int, Meta(ge=1)]
    reference_id: Text
    idempotency_key: Text


class _TaxiBooking(Struct):
    booking_id: str
    customer_email: str
    passenger_name: str
    number_of_passengers: int
    reference_id: str
    idempotency_key: str
    cancelled: bool = False


class _Available(Body, frozen=True):
    available: _Number | None


class Taxis:
    """Every taxi booked."""

    def __init__(self) -> None:
        self.reset()

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""
        return (
            Operation("taxis.book", "PUT", _TAXIS, self.book),
            Operation("taxis.cancel", "DELETE", f"{_TAXIS}/{{booking_id}}", self.cancel),
            Operation("taxis.list", "GET", _TAXIS, self.listing),
        )

    def controls(self) -> tuple[Operation, ...]:
        """Return the table of its control routes."""
        return (
            Operation("taxis.change", "PUT", f"{PREFIX}taxis", self.change),
            Operation("taxis.show", "GET", f"{PREFIX}taxis", self.show),
        )

    def reset(self) -> None:
        """Forget all bookings and keys, and have any number of taxis again."""
        self._bookings: dict[str, _TaxiBooking] = {}
        self._by_key: dict[str, str] = {}
        self._available: int | None = None

    def book(self, request: Request) -> Answer:
        """Book a taxi; a key that has booked answers the same again, whatever the body."""
        taxi = parse_body(request.body, _Taxi)
        if taxi.idempotency_key not in self._by_key:
            self._book(taxi)
        return json_answer(HTTPStatus.CREATED, {"booking_id": self._by_key[taxi.idempotency_key]})

    def cancel(self, _request: Request, booking_id: str) -> Answer:
        """Cancel a booking, whose taxi is available again."""
        booking = self._bookings.get(booking_id)
        if booking is None or booking.cancelled:
            raise Refusal(HTTPStatus.NOT_FOUND, f"There is no booking {booking_id}, or it is cancelled.")
        booking.cancelled = True
        if self._available is not None:
            self._available += 1
        return Answer(HTTPStatus.NO_CONTENT)

    def listing(self, _request: Request) -> Answer:
        """Return all bookings, oldest first."""
        return json_answer(HTTPStatus.OK, list(self._bookings.values()))

    def change(self, request: Request) -> Answer:
        """Set how many taxis are still to be had."""
        self._available = parse_body(request.body, _Available).available
        return self.show(request)

    def show(self, _request: Request) -> Answer:
        """Return how many taxis are still to be had."""
        return json_answer(HTTPStatus.OK, {"available": self._available})

    def _book(self, taxi: _Taxi) -> None:
        if self._available == 0:
            raise Refusal(HTTPStatus.CONFLICT, "No taxi is available.")
        if self._available is not None:
            self._available -= 1
        booking = _TaxiBooking(booking_id=str(uuid4()), **asdict(taxi))
        self._bookings[booking.booking_id] = booking
        self._by_key[taxi.idempotency_key] = booking.booking_id

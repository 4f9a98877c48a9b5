"""The services around a bundle, in plain Python: each books once per key, and knows what it has taken back."""

from dataclasses import dataclass, replace

from bookings.commands import BookShowTickets, RefundTicket
from tests.vip_bundles.told import (
    booking_failed,
    booking_made,
    confirmed,
    flight_booked,
    flight_failed,
    seats,
    taxi_booked,
    taxi_failed,
)
from tickets_project.outbox.messages import Message
from vip_bundles.commands import BookFlight, BookTaxi, CancelFlightTickets, CancelTaxi


@dataclass(frozen=True, slots=True)
class Services:
    """What is booked, by key: the show under the booking's id.

    :param refuses: the key that is refused
    :param refusals: how often, before there is room
    """

    refuses: str = ""
    refusals: int = 0
    shows: frozenset[tuple[str, int]] = frozenset()
    flights: frozenset[tuple[str, str, int]] = frozenset()
    taxis: frozenset[str] = frozenset()
    refunded: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()

    def execute(self, command: Message) -> tuple["Services", tuple[Message, ...]]:
        """Return the services once the command is executed, and what is published then."""
        match command:
            case BookShowTickets():
                return self._book_show(command)
            case BookFlight():
                return self._book_flight(command)
            case BookTaxi():
                return self._book_taxi(command)
        return self._take_back(command), ()

    @property
    def tickets(self) -> frozenset[str]:
        """Return the show's tickets that were ever sold."""
        return frozenset(f"ticket-{each}" for _, number in self.shows for each in range(1, number + 1))

    @property
    def transport(self) -> frozenset[str]:
        """Return the flight tickets and taxis that were ever booked."""
        flown = {seat for key, _, number in self.flights for seat in seats(key, number)}
        return frozenset(flown | {f"{key}-car" for key in self.taxis})

    def _take_back(self, command: Message) -> "Services":
        match command:
            case RefundTicket():
                return replace(self, refunded=self.refunded | {command.ticket_id})
            case CancelFlightTickets():
                return replace(self, cancelled=self.cancelled | {*command.flight_ticket_id})
            case CancelTaxi():
                return replace(self, cancelled=self.cancelled | {command.taxi_booking_id})
        raise NotImplementedError(command)

    def _book_show(self, command: BookShowTickets) -> tuple["Services", tuple[Message, ...]]:
        number = command.number_of_tickets
        if (command.booking_id, number) in self.shows:
            return self, ()
        if self._is_full(command.booking_id):
            return self._refused(), (booking_failed(),)
        sold = tuple(confirmed(each) for each in range(1, number + 1))
        return replace(self, shows=self.shows | {(command.booking_id, number)}), (booking_made(number), *sold)

    def _book_flight(self, command: BookFlight) -> tuple["Services", tuple[Message, ...]]:
        key, number = command.idempotency_key, len(command.passengers)
        booked = flight_booked(command.to_flight_id, key=key, number=number)
        if key in {known for known, _, _ in self.flights}:
            return self, (booked,)
        if self._is_full(key):
            return self._refused(), (flight_failed(command.to_flight_id),)
        return replace(self, flights=self.flights | {(key, command.to_flight_id, number)}), (booked,)

    def _book_taxi(self, command: BookTaxi) -> tuple["Services", tuple[Message, ...]]:
        key = command.idempotency_key
        if key not in self.taxis and self._is_full(key):
            return self._refused(), (taxi_failed(),)
        return replace(self, taxis=self.taxis | {key}), (taxi_booked(f"{key}-car"),)

    def _is_full(self, key: str) -> bool:
        return key == self.refuses and self.refusals > 0

    def _refused(self) -> "Services":
        return replace(self, refusals=self.refusals - 1)

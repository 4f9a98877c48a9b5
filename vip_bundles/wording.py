"""What the messages about a bundle say, in a few plain words each."""

from collections.abc import Callable
from typing import Any

from bookings.commands import BookShowTickets, RefundTicket
from bookings.events import BookingFailedV1, BookingMadeV1, TicketBookingConfirmedV1, TicketRefundedV1
from printing.events import TicketPrintedV1
from vip_bundles.commands import BookFlight, BookTaxi, CancelFlightTickets, CancelTaxi
from vip_bundles.events import (
    FlightBookedV1,
    FlightBookingFailedV1,
    TaxiBookedV1,
    TaxiBookingFailedV1,
    VipBundleFinalizedV1,
    VipBundleInitializedV1,
)


def tell(message_type: str, payload: dict[str, Any]) -> str:
    """Return what a stored message of one of the TYPES says beside its name."""
    return _TELLS[message_type](payload)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _seats(flight_ticket_ids: list[str]) -> str:
    return _count(len(flight_ticket_ids), "flight ticket")


_TELLS: dict[str, Callable[[dict[str, Any]], str]] = {
    VipBundleInitializedV1.NAME: lambda _: "",
    BookShowTickets.NAME: lambda told: _count(told["number_of_tickets"], "ticket"),
    BookingMadeV1.NAME: lambda told: _count(told["number_of_tickets"], "ticket"),
    BookingFailedV1.NAME: lambda told: str(told["failure_reason"]),
    TicketBookingConfirmedV1.NAME: lambda told: f"ticket {told['ticket_id']}",
    BookFlight.NAME: lambda told: f"flight {told['to_flight_id']}: {_count(len(told['passengers']), 'passenger')}",
    FlightBookedV1.NAME: lambda told: f"flight {told['flight_id']}: {_seats(told['flight_tickets_ids'])}",
    FlightBookingFailedV1.NAME: lambda told: f"flight {told['flight_id']}: {told['failure_reason']}",
    BookTaxi.NAME: lambda told: _count(told["number_of_passengers"], "passenger"),
    TaxiBookedV1.NAME: lambda told: f"taxi {told['taxi_booking_id']}",
    TaxiBookingFailedV1.NAME: lambda told: str(told["failure_reason"]),
    CancelFlightTickets.NAME: lambda told: _seats(told["flight_ticket_id"]),
    CancelTaxi.NAME: lambda told: f"taxi {told['taxi_booking_id']}",
    RefundTicket.NAME: lambda told: f"ticket {told['ticket_id']}",
    TicketPrintedV1.NAME: lambda told: f"ticket {told['ticket_id']}: {told['file_name']}",
    TicketRefundedV1.NAME: lambda told: f"ticket {told['ticket_id']}",
    VipBundleFinalizedV1.NAME: lambda told: "all is booked" if told["success"] else "failed",
}

TYPES = frozenset(_TELLS)
"""The stored names of the messages that make up a bundle's process."""

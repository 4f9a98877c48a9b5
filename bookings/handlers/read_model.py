"""The ops read model: what each event tells of a booking or a ticket."""

from bookings.events import BookingMadeV1, TicketBookingConfirmedV1, TicketReceiptIssuedV1, TicketRefundedV1
from printing.events import TicketPrintedV1


def on_booking_made(message: BookingMadeV1) -> None:
    """Do it."""
    raise NotImplementedError


def on_ticket_confirmed(message: TicketBookingConfirmedV1) -> None:
    """Do it."""
    raise NotImplementedError


def on_ticket_printed(message: TicketPrintedV1) -> None:
    """Do it."""
    raise NotImplementedError


def on_receipt_issued(message: TicketReceiptIssuedV1) -> None:
    """Do it."""
    raise NotImplementedError


def on_ticket_refunded(message: TicketRefundedV1) -> None:
    """Do it."""
    raise NotImplementedError

"""The ops read model: what each event tells of a booking or a ticket."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from bookings.events import BookingMadeV1, TicketBookingConfirmedV1, TicketReceiptIssuedV1, TicketRefundedV1
from bookings.services import read_model
from printing.events import TicketPrintedV1
from tickets_project.outbox.messages import Message


def on_booking_made(message: BookingMadeV1) -> None:
    """Know the booking."""
    read_model.record_booked(
        booking_id=UUID(message.booking_id),
        show_id=UUID(message.show_id),
        number_of_tickets=message.number_of_tickets,
        customer_email=message.customer_email,
        at=message.header.published_at,
    )


def on_ticket_confirmed(message: TicketBookingConfirmedV1) -> None:
    """Know the ticket, and whose booking it belongs to; the vendor may name none, or one that nobody knows."""
    read_model.record_confirmed(
        ticket_id=UUID(message.ticket_id),
        booking_id=UUID(message.booking_id) if message.booking_id else None,
        customer_email=message.customer_email,
        price=message.price,
        at=message.header.published_at,
    )


def on_ticket_printed(message: TicketPrintedV1) -> None:
    """Know that the ticket is printed, and where its document is."""
    read_model.record_printed(
        ticket_id=UUID(message.ticket_id), file_name=message.file_name, at=message.header.published_at
    )


def on_receipt_issued(message: TicketReceiptIssuedV1) -> None:
    """Know the ticket's receipt; its time is the receipts service's."""
    read_model.record_receipt(
        ticket_id=UUID(message.ticket_id), number=message.receipt_number, issued_at=message.issued_at
    )


def on_ticket_refunded(message: TicketRefundedV1) -> None:
    """Know that the ticket's money went back."""
    read_model.record_refunded(ticket_id=UUID(message.ticket_id), at=message.header.published_at)


HANDLERS: Mapping[type[Message], Callable[[Any], None]] = {
    BookingMadeV1: on_booking_made,
    TicketBookingConfirmedV1: on_ticket_confirmed,
    TicketPrintedV1: on_ticket_printed,
    TicketReceiptIssuedV1: on_receipt_issued,
    TicketRefundedV1: on_ticket_refunded,
}
"""All that the read model is made of: what a rebuild reads once more."""

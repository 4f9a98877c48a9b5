"""Events that tell the ops read model of a booking with two tickets, and what they come to."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from bookings.events import BookingMadeV1, TicketBookingConfirmedV1, TicketReceiptIssuedV1, TicketRefundedV1
from bookings.handlers.read_model import HANDLERS
from bookings.models import OpsBooking, OpsTicket
from printing.events import TicketPrintedV1
from tests.factories import NOON, MessageFactory
from tickets_project.outbox.messages import Header, Message
from tickets_project.outbox.models import Message as StoredMessage
from tickets_project.values import Money

BOOKING, SHOW, FIRST, SECOND = (UUID(int=number) for number in range(1, 5))
ADA = "ada@customers.example"


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def header(minutes: int) -> Header:
    return Header(id="", published_at=after(minutes), idempotency_key="", correlation_id="")


def made(minutes: int = 0, *, booking: UUID = BOOKING, tickets: int = 2, email: str = ADA) -> BookingMadeV1:
    return BookingMadeV1(
        booking_id=str(booking),
        number_of_tickets=tickets,
        customer_email=email,
        show_id=str(SHOW),
        header=header(minutes),
    )


def confirmed(
    minutes: int = 1, *, ticket: UUID = FIRST, booking_id: str = str(BOOKING), price: str = "50.30"
) -> TicketBookingConfirmedV1:
    return TicketBookingConfirmedV1(
        ticket_id=str(ticket),
        customer_email=ADA,
        price=Money(amount=Decimal(price), currency="EUR"),
        booking_id=booking_id,
        header=header(minutes),
    )


def printed(minutes: int = 2, *, ticket: UUID = FIRST, file_name: str = "a.html") -> TicketPrintedV1:
    return TicketPrintedV1(ticket_id=str(ticket), file_name=file_name, header=header(minutes))


def receipt(
    minutes: int = 3, *, ticket: UUID = FIRST, number: str = "R-1", issued_at: datetime | None = None
) -> TicketReceiptIssuedV1:
    issued_at = issued_at or after(minutes - 100)
    return TicketReceiptIssuedV1(
        ticket_id=str(ticket), receipt_number=number, issued_at=issued_at, header=header(minutes)
    )


def refunded(minutes: int = 4, *, ticket: UUID = FIRST) -> TicketRefundedV1:
    return TicketRefundedV1(ticket_id=str(ticket), header=header(minutes))


def tell(*messages: Message) -> None:
    """Hand the messages to their handlers, in this order."""
    for message in messages:
        HANDLERS[type(message)](message)


def store(*messages: Message) -> list[StoredMessage]:
    """Store the messages as they would be after publishing, without any delivery."""
    return [
        MessageFactory.create(
            type=message.NAME,
            aggregatetype=message.aggregate_type,
            aggregateid=message.aggregate_id,
            payload=message.payload(),
            published_at=message.header.published_at,
        )
        for message in messages
    ]


def rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return all bookings and all tickets of the read model."""
    bookings, tickets = OpsBooking.objects.order_by("booking_id"), OpsTicket.objects.order_by("ticket_id")
    return [dict(row) for row in bookings.values()], [dict(row) for row in tickets.values()]


def ticket_row(**facts: Any) -> dict[str, Any]:
    """Return a ticket's row of which nothing but the facts is known."""
    return {
        "ticket_id": FIRST,
        "booking_id": None,
        "customer_email": "",
        "price_amount": None,
        "price_currency": "",
        "confirmed_at": None,
        "printed_at": None,
        "file_name": "",
        "receipt_number": "",
        "receipt_issued_at": None,
        "refunded_at": None,
    } | facts

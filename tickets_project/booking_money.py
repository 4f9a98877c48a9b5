"""Where bookings meet analytics: neither knows the other, so this adapter tells what a booking or ticket is worth."""

from uuid import UUID

from bookings import queries
from bookings.events import BookingConfirmed, TicketRefundedV1
from tickets_project.values import Money


def price_of_booking(message: BookingConfirmed) -> Money | None:
    """Return what a confirmed booking brings in, None when there is no such booking."""
    return queries.price_of_booking(UUID(message.booking_id))


def price_of_ticket(message: TicketRefundedV1) -> Money | None:
    """Return what a refunded ticket pays back, None when there is no such ticket."""
    return queries.price_of_ticket(UUID(message.ticket_id))

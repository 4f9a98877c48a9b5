"""The vendor: bookings of the shows that it sells are booked there."""

from uuid import UUID

from bookings import queries
from bookings.events import BookingMadeV1
from tickets_project.gateway import dead_nation


def book_at_vendor(message: BookingMadeV1) -> None:
    """Book with the vendor, who then confirms by its webhook, unless the booking is not for it or pending no longer."""
    event_id = queries.event_to_book(UUID(message.booking_id))
    if event_id is None:
        return
    dead_nation.book(
        booking_id=message.booking_id,
        event_id=str(event_id),
        customer_address=message.customer_email,
        number_of_tickets=message.number_of_tickets,
    )

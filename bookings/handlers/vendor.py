"""The vendor: bookings of the shows that it sells are booked there."""

from bookings.events import BookingMadeV1
from tickets_project.outbox.subscriptions import Recording


def book_at_vendor(message: BookingMadeV1) -> Recording | None:
    """Do it."""
    raise NotImplementedError

"""Booking seats of a show in one go, as a VIP bundle does."""

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from bookings.errors import ShowMakesNoTickets
from bookings.models import Booking, BookingStatus
from bookings.services.booking import make_booking
from bookings.services.confirming import confirm_booking
from tickets_project.audit.acts import Act


@transaction.atomic
def book_show_tickets(  # noqa: PLR0913 - a booking has these facts
    *, booking_id: UUID, show_id: UUID, number_of_tickets: int, customer_email: str, owner: User | None, act: Act
) -> Booking:
    """Hold seats, and confirm them at once unless the vendor does; the same booking_id twice is one booking.

    Whoever asks for it vouches for the price.

    :raises Show.DoesNotExist: if there is no such show
    :raises ShowHasStarted: if it has started
    :raises NotEnoughTickets: if it cannot seat them all
    :raises ShowMakesNoTickets: if neither we nor the vendor make tickets of it
    :raises BookingIdTaken: if the id belongs to a booking of another show
    """
    booking = make_booking(
        booking_id=booking_id,
        show_id=show_id,
        number_of_tickets=number_of_tickets,
        customer_email=customer_email,
        owner=owner,
        act=act,
    )
    if booking.status != BookingStatus.PENDING or booking.is_sold_by_vendor:
        return booking
    # Whoever wants tickets would wait for them for ever.
    if booking.ticket_type is None:
        raise ShowMakesNoTickets
    return confirm_booking(booking_id=booking_id, act=act, payment_id=None)

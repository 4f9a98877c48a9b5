"""How a confirmed booking ends: it took place, or nobody came."""

from uuid import UUID

from django.db import transaction

from bookings.errors import BookingNotConfirmed
from bookings.models import Booking, BookingStatus
from bookings.services import announcing
from bookings.services.locking import locked_booking
from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish


@transaction.atomic
def complete_booking(*, booking_id: UUID, act: Act) -> Booking:
    """Note that a confirmed booking took place.

    :raises Booking.DoesNotExist: if there is no such booking
    :raises BookingNotConfirmed: if it is in another state
    """
    booking = _confirmed(booking_id)
    booking.complete(act=act)
    booking.save()
    publish(announcing.booking_completed(booking, act))
    return booking


@transaction.atomic
def mark_no_show(*, booking_id: UUID, act: Act) -> Booking:
    """Note that nobody came for a confirmed booking.

    :raises Booking.DoesNotExist: if there is no such booking
    :raises BookingNotConfirmed: if it is in another state
    """
    booking = _confirmed(booking_id)
    booking.mark_no_show(act=act)
    booking.save()
    publish(announcing.booking_no_show(booking, act))
    return booking


def _confirmed(booking_id: UUID) -> Booking:
    booking = locked_booking(booking_id)
    if booking.status != BookingStatus.CONFIRMED:
        raise BookingNotConfirmed(current_status=booking.status)
    return booking

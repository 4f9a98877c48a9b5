"""Releasing: what nobody confirmed in time is free again."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings.models import BookingStatus
from bookings.services.cancelling import cancel_booking
from bookings.services.locking import locked_with_show
from tickets_project.audit.acts import Act


@transaction.atomic
def release_booking(*, booking_id: UUID, act: Act, created_before: datetime) -> bool:
    """Cancel a booking that has been pending since that time or longer; False when it has not, or not any more.

    :raises Booking.DoesNotExist: if there is no such booking
    """
    booking = locked_with_show(booking_id)
    # Asked under the lock: cancelling alone would also cancel what has just been confirmed.
    if booking.status != BookingStatus.PENDING or booking.created_at > created_before:
        return False
    cancel_booking(booking_id=booking_id, act=act)
    return True

"""Reminding customers of the start: a day before, and an hour before."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from bookings import notices
from bookings.models import Booking, BookingStatus
from bookings.services.locking import locked_booking
from tickets_project.audit.acts import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reminder:
    """Where it is noted, and for how long before the start it is too late for it."""

    noted_in: str
    too_late: timedelta


_REMINDERS = {
    24: _Reminder(noted_in="day_reminder_at", too_late=timedelta(hours=1)),
    1: _Reminder(noted_in="hour_reminder_at", too_late=timedelta(0)),
}
HOURS_BEFORE = tuple(_REMINDERS)
"""How many hours before the start customers are reminded."""


@transaction.atomic
def remind(*, booking_id: UUID, act: Act, hours_before: int) -> bool:
    """Remind the customer of the start and note it; False when this reminder is not due, or not any more.

    :param hours_before: one of HOURS_BEFORE
    :raises Booking.DoesNotExist: if there is no such booking
    """
    booking = locked_booking(booking_id)
    if not due_for_reminder(at=act.at, hours_before=hours_before).filter(id=booking_id).exists():
        return False
    notices.booking_reminder(booking, act, hours_before=hours_before)
    noted_in = _REMINDERS[hours_before].noted_in
    setattr(booking, noted_in, act.at)
    booking.save(update_fields=[noted_in])
    return True


def due_for_reminder(*, at: datetime, hours_before: int) -> QuerySet[Booking]:
    """Return the confirmed bookings whose customers are to be reminded; who booked later than that knows by himself."""
    reminder, ahead = _REMINDERS[hours_before], timedelta(hours=hours_before)
    return Booking.objects.filter(
        status=BookingStatus.CONFIRMED,
        start_time__gt=at + reminder.too_late,
        start_time__lte=at + ahead,
        confirmed_at__lte=F("start_time") - ahead,
        **{reminder.noted_in: None},
    )

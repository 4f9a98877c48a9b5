"""What the clock does to bookings and tickets: the functions that django-q2 runs every minute."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from bookings import services
from bookings.models import Booking, BookingStatus, Ticket, TicketStatus
from bookings.models.shows import LASTS_AT_MOST
from bookings.services.locking import locked_booking
from bookings.services.reminding import HOURS_BEFORE, due_for_reminder
from tickets_project.audit.acts import Act
from tickets_project.sweeping import count_done


def expire_tickets_now() -> None:
    """Expire tickets at this moment."""
    expire_tickets(at=timezone.now())


def complete_past_bookings_now() -> None:
    """Complete bookings at this moment."""
    complete_past_bookings(at=timezone.now())


def release_unconfirmed_bookings_now() -> None:
    """Release bookings at this moment."""
    release_unconfirmed_bookings(at=timezone.now())


def send_reminders_now() -> None:
    """Remind customers at this moment."""
    send_reminders(at=timezone.now())


def expire_tickets(*, at: datetime) -> int:
    """Expire the active tickets whose time is over; return how many."""
    act = _act(at)
    due = Ticket.objects.filter(status=TicketStatus.ACTIVE, valid_until__lte=at)
    return count_done(lambda ticket_id: _expire(ticket_id, act), due, oldest_by="valid_until")


def complete_past_bookings(*, at: datetime) -> int:
    """Complete the confirmed bookings that are over; return how many."""
    act = _act(at)
    over = Q(end_time__lte=at) | Q(end_time=None, start_time__lte=at - LASTS_AT_MOST)
    # What is over has begun, which is what the index knows.
    due = Booking.objects.filter(over, status=BookingStatus.CONFIRMED, start_time__lte=at)
    return count_done(lambda booking_id: _complete(booking_id, act), due, oldest_by="start_time")


def release_unconfirmed_bookings(*, at: datetime) -> int:
    """Cancel the bookings that have been pending for BOOKING_HOLD_MINUTES; return how many."""
    act = _act(at).because("not confirmed in time")
    before = at - timedelta(minutes=settings.BOOKING_HOLD_MINUTES)
    due = Booking.objects.filter(status=BookingStatus.PENDING, created_at__lte=before)
    return count_done(
        lambda booking_id: services.release_booking(booking_id=booking_id, act=act, created_before=before),
        due,
        oldest_by="created_at",
    )


def send_reminders(*, at: datetime) -> int:
    """Remind customers of what starts in a day or in an hour; return how many reminders."""
    return sum(_send_reminders(_act(at), hours_before) for hours_before in HOURS_BEFORE)


def _send_reminders(act: Act, hours_before: int) -> int:
    due = due_for_reminder(at=act.at, hours_before=hours_before)
    return count_done(
        lambda booking_id: services.remind(booking_id=booking_id, act=act, hours_before=hours_before),
        due,
        oldest_by="start_time",
    )


def _act(at: datetime) -> Act:
    return Act(at=at, automatic="schedule")


def _expire(ticket_id: UUID, act: Act) -> bool:
    return services.expire_ticket(ticket_id=ticket_id, act=act).expired_at == act.at


def _complete(booking_id: UUID, act: Act) -> bool:
    with transaction.atomic():
        # Asked under the lock: its show may have been moved meanwhile.
        if locked_booking(booking_id).over_at > act.at:
            return False
        services.complete_booking(booking_id=booking_id, act=act)
        return True

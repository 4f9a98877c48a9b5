"""The handlers of the requests in signals.py: record the request, do the work or refuse, and answer."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from bookings import services
from bookings.events import BookingConfirmationRequested
from bookings.models import Booking
from tickets_project.event_result import EventResult
from tickets_project.outbox.publishing import publish
from tickets_project.refusals import DomainError


def confirm_booking(
    *, booking: Booking, actor: User, payment_id: str | None, at: datetime, **_signal: Any
) -> EventResult:
    """Confirm a booking; a refusal leaves the recorded request and nothing else."""
    publish(
        BookingConfirmationRequested(
            booking_id=str(booking.id),
            user_id=booking.owner_id,
            payment_id=payment_id,
            admin_id=actor.pk if actor.is_staff else None,
        )
    )
    try:
        confirmed = services.confirm_booking(booking_id=booking.id, actor=actor, payment_id=payment_id, at=at)
    except DomainError as refusal:
        return EventResult.refused(refusal)
    return EventResult.done(booking=confirmed)

"""Notifications for tests: of each template, with all its facts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from tickets_project.notifications.catalogue import stored_context
from tickets_project.notifications.models import Notification
from tickets_project.notifications.services import notify, record_sent

AT = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
STARTS, ENDS = datetime(2026, 5, 2, 18, tzinfo=UTC), datetime(2026, 5, 2, 21, tzinfo=UTC)
BOOKING = "0b0e6a4c-8f4f-4ac9-9d51-6a1f0c8f5a11"
TICKET = "5f0c3a52-0c7e-4a57-9a5e-3a2d6b8f1c11"
CODE = "ABCDEFGH23456789"

FACTS: dict[str, dict[str, Any]] = {
    "booking_confirmed": {
        "booking_id": BOOKING,
        "confirmation_code": "KMNPQRSTVW",
        "start_time": STARTS,
        "end_time": ENDS,
        "location": "Teatro Real, Madrid",
        "tickets_count": 2,
        "title": "Carmen",
        "activation_codes": [{"ticket_id": TICKET, "activation_code": "XYZ234"}],
    },
    "booking_cancelled": {
        "booking_id": BOOKING,
        "reason": "The tenor is ill",
        "refund_amount": "50.30",
        "title": "Carmen",
        "currency": "EUR",
        "start_time": STARTS,
        "end_time": ENDS,
        "location": "Teatro Real, Madrid",
        "confirmation_code": "KMNPQRSTVW",
    },
    "ticket_activated": {
        "ticket_id": TICKET,
        "ticket_type": "balcony",
        "activation_code": "XYZ234",
        "qr_code_url": "https://tickets.example/qr/5f0c3a52",
        "valid_until": ENDS,
        "title": "Carmen",
        "redemption_code": CODE,
    },
    "ticket_redeemed": {"ticket_id": TICKET, "redeemed_at": STARTS, "location": "North door", "title": "Carmen"},
    "refund_processed": {"ticket_id": TICKET, "refund_amount": "50.30", "currency": "EUR", "title": "Carmen"},
    "booking_reminder": {
        "booking_id": BOOKING,
        "confirmation_code": "KMNPQRSTVW",
        "start_time": STARTS,
        "location": "Teatro Real, Madrid",
        "hours_before": 24,
        "title": "Carmen",
        "end_time": ENDS,
    },
    "vip_bundle_finalized": {
        "vip_bundle_id": BOOKING,
        "success": False,
        "failure_reason": "no seat on the return flight",
        "title": "Carmen",
    },
    "vip_bundle_stuck": {
        "vip_bundle_id": BOOKING,
        "title": "Carmen",
        "state": "booking taxi",
        "waits_for": "TaxiBooked_v1 or TaxiBookingFailed_v1",
        "url": "https://tickets.example/admin/vip_bundles/vipbundle/0b0e6a4c/change/",
    },
}


def unsaved(template: str, *, email: str = "ada@customers.example", **facts: Any) -> Notification:
    """Return a notification that no table has."""
    context = stored_context(template, FACTS[template] | facts)
    return Notification(template=template, email=email, context=context, about_id=BOOKING, created_at=AT)


def pending(template: str = "booking_confirmed", *, facts: dict[str, Any] | None = None, **said: Any) -> Notification:
    """Store a notification, to be sent."""
    defaults: dict[str, Any] = {
        "recipient_id": None,
        "email": "ada@customers.example",
        "about": ("booking", str(uuid4())),
        "at": AT,
    }
    with transaction.atomic():
        return notify(template=template, context=FACTS[template] | (facts or {}), **defaults | said)


def sent(template: str = "booking_confirmed", **said: Any) -> Notification:
    """Store a notification that was sent once."""
    notification = pending(template, **said)
    record_sent(notification_id=notification.id, sending=1, at=AT + timedelta(minutes=1))
    notification.refresh_from_db()
    return notification

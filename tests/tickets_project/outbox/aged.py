"""Messages and deliveries of any age."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from tests.factories import DeliveryFactory, MessageFactory
from tickets_project.outbox.models import Delivery, Intervention, Message


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def message(*, days: float, **fields: Any) -> Message:
    """Store a message that was published so many days ago."""
    stored: Message = MessageFactory.create(published_at=ago(days), **fields)
    stored.refresh_from_db()
    return stored


def delivery(*, days: float, status: str = "delivered", closed: float | None = None, **fields: Any) -> Delivery:
    """Store a delivery of a message of that age, delivered so many days ago, by default as soon as it was published."""
    delivered_at = ago(days if closed is None else closed) if status == "delivered" else None
    about = fields.pop("message", None) or message(days=days)
    row: Delivery = DeliveryFactory.create(message=about, status=status, delivered_at=delivered_at, **fields)
    return row


def intervention(row: Delivery, action: str, *, days: float) -> Intervention:
    return Intervention.objects.create(delivery=row, action=action, by="ann", at=ago(days))


def delivery_ids() -> set[int]:
    return set(Delivery.objects.values_list("id", flat=True))

"""Reads that the admin, the API and the commands share."""

from datetime import datetime

from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Now

from tickets_project.outbox.models import Delivery, Status


def open_deliveries() -> QuerySet[Delivery]:
    """Return what is neither delivered nor discarded, oldest first."""
    return Delivery.objects.filter(status__in=[Status.PENDING, Status.PARKED]).select_related("message").order_by("id")


def matching_deliveries(
    *, status: str | None, handler: str | None, message_type: str | None, aggregate_id: str | None, text: str | None
) -> QuerySet[Delivery]:
    """Return the deliveries that fit every given condition, oldest first; `text` is looked for in the last error."""
    conditions = {
        "status": status,
        "handler": handler,
        "message__type": message_type,
        "message__aggregateid": aggregate_id,
        "last_error__contains": text,
    }
    wanted = Q(**{name: value for name, value in conditions.items() if value})
    return Delivery.objects.filter(wanted).select_related("message").order_by("id")


def oldest_due_at() -> datetime | None:
    """Return since when the longest waiting delivery is due, None when nothing waits."""
    due = Delivery.objects.filter(status=Status.PENDING, available_at__lte=Now())
    oldest: datetime | None = due.aggregate(oldest=Min("available_at"))["oldest"]
    return oldest

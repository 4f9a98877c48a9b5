"""Reads that the admin, the API and the commands share."""

from django.db.models import Q, QuerySet

from tickets_project.outbox.models import Delivery


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

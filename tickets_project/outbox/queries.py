"""Reads that the admin, the API and the commands share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, F, Func, Max, Min, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from tickets_project.outbox.models import Delivery, Status

# Of a chain of errors the last one counts. Its class is on the first line after the frames; the lines after that are
# its text.
_TRACEBACK = "Traceback (most recent call last):\n"
_CLASS_AFTER_FRAMES = r"^(?:[ \t][^\n]*\n)*([A-Za-z_][\w.]*)"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedGroup:
    """The parked deliveries of one handler that failed with one class of exception."""

    handler: str
    exception: str
    deliveries: int
    since: datetime
    latest_id: int


def matching_deliveries(  # noqa: PLR0913 - the filters of a list
    *,
    status: str | None,
    handler: str | None,
    message_type: str | None,
    aggregate_id: str | None,
    text: str | None,
    exception: str | None = None,
) -> QuerySet[Delivery]:
    """Return the deliveries that fit every given condition, oldest first.

    :param text: is looked for in the last error
    :param exception: the class of the last error, with its module or without
    """
    conditions = {
        "status": status,
        "handler": handler,
        "message__type": message_type,
        "message__aggregateid": aggregate_id,
        "last_error__contains": text,
    }
    wanted = Q(**{name: value for name, value in conditions.items() if value})
    deliveries = Delivery.objects.filter(wanted).select_related("message").order_by("id")
    return failed_with(deliveries, exception) if exception else deliveries


def failed_with(deliveries: QuerySet[Delivery], exception: str) -> QuerySet[Delivery]:
    """Return those whose last error is of this class, named with its module or without."""
    named = Q(exception=exception) | Q(exception__endswith=f".{exception}")
    return _with_exception(deliveries).filter(named)


def parked_groups(deliveries: QuerySet[Delivery] | None = None) -> list[ParkedGroup]:
    """Return the parked deliveries, or these of them, by handler and class of exception, the largest group first."""
    parked = (Delivery.objects.all() if deliveries is None else deliveries).filter(status=Status.PARKED)
    rows = (
        _with_exception(parked)
        .order_by()
        .values("handler", "exception")
        .annotate(deliveries=Count("id"), since=Min("message__published_at"), latest_id=Max("id"))
    )
    return [ParkedGroup(**row) for row in rows.order_by("-deliveries", "handler", "exception")]


def _with_exception(deliveries: QuerySet[Delivery]) -> QuerySet[Any]:
    last = Func(F("last_error"), Value(_TRACEBACK), Value(-1), function="split_part", output_field=CharField())
    name = Func(last, Value(_CLASS_AFTER_FRAMES), function="substring", output_field=CharField())
    return deliveries.annotate(
        exception=Case(
            When(last_error__contains=_TRACEBACK, then=Coalesce(name, Value(UNKNOWN))),
            When(last_error__startswith="Waited in vain", then=Value("NotYet")),
            default=Value(UNKNOWN),
        )
    )

"""What waits and why: deliveries told in a line, for the outbox's own pages and for those of other apps."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone

from tickets_project.admin_site.display import Badges, Section, clock, last_line, link, moment
from tickets_project.outbox.claiming import is_claimed
from tickets_project.outbox.models import Delivery, Message, Status

BADGES = Badges({"pending": "info", "delivered": "success", "parked": "danger", "discarded": "warning"})
MOST_MESSAGES = 50
DELIVERY_HEADERS = ["handler", "message", "status", "attempts", "next try", "why"]


def deliveries_about(aggregate_ids: Sequence[str]) -> dict[str, list[Delivery]]:
    """Return what is not delivered of the messages about each aggregate, oldest first, with who discarded what."""
    open_rows = Delivery.objects.filter(message__aggregateid__in=aggregate_ids).exclude(status=Status.DELIVERED)
    rows = list(open_rows.select_related("message").order_by("id"))
    prefetch_related_objects([row for row in rows if row.status == Status.DISCARDED], "interventions")
    found: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in rows:
        found[delivery.message.aggregateid].append(delivery)
    return found


def why(delivery: Delivery, *, at: datetime) -> str:
    """Return what a delivery waits for, in words."""
    match delivery.status:
        case Status.PENDING:
            return _pending(delivery, at=at)
        case Status.PARKED:
            return f"given up after {_attempts(delivery.attempts)}: {last_line(delivery.last_error)}"
        case Status.DISCARDED:
            return _discarded(delivery)
    return "delivered"


def _pending(delivery: Delivery, *, at: datetime) -> str:
    error = last_line(delivery.last_error)
    if is_claimed(delivery, at=at):
        return "a worker has it in hand"
    if delivery.waiting_since:
        return f"waits since {clock(delivery.waiting_since)}: {error}"
    if delivery.attempts and error:
        return f"failed {_times(delivery.attempts)}, next try at {clock(delivery.available_at)}: {error}"
    return "in the queue"


def _attempts(count: int) -> str:
    return "one attempt" if count == 1 else f"{count} attempts"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _discarded(delivery: Delivery) -> str:
    discards = [entry for entry in delivery.interventions.all() if entry.action == "discarded"]
    return f"discarded by {discards[0].by}: {discards[0].reason}" if discards else "discarded"


def delivery_section(title: str, deliveries: Sequence[Delivery], *, note: str = "") -> Section:
    """Return deliveries, with their messages, as a table."""
    now = timezone.now()
    rows = [
        [
            link("outbox_delivery_change", delivery.handler, delivery.pk),
            link("outbox_message_change", delivery.message.type, delivery.message_id),
            BADGES.show(delivery.status),
            delivery.attempts,
            moment(delivery.available_at) if delivery.status == Status.PENDING else "-",
            why(delivery, at=now),
        ]
        for delivery in deliveries
    ]
    return Section(title=title, headers=DELIVERY_HEADERS, rows=rows, note=note)


def messages_about(aggregate_ids: Sequence[str]) -> Section:
    """Return the latest messages about these aggregates as a table."""
    return message_section("Messages", Message.objects.filter(aggregateid__in=aggregate_ids))


def message_section(title: str, messages: QuerySet[Message]) -> Section:
    """Return the latest of some messages as a table."""
    latest = list(messages.order_by("-sequence")[: MOST_MESSAGES + 1])
    rows = [
        [
            link("outbox_message_change", message.type, message.id),
            f"{message.aggregatetype} {message.aggregateid}",
            moment(message.published_at),
        ]
        for message in latest[:MOST_MESSAGES]
    ]
    note = f"The latest {MOST_MESSAGES}; search the messages for the others." if len(latest) > MOST_MESSAGES else ""
    return Section(title=title, headers=["type", "about", "published"], rows=rows, note=note)

"""Replay: open deliveries of stored messages once more, never new messages.

A handler that is newer than a message gets its first delivery of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, QuerySet

from tickets_project.outbox.errors import NotReplayable, UnknownHandler
from tickets_project.outbox.models import Delivery, Intervention, Message, Status
from tickets_project.outbox.publishing import delivery_row, wake
from tickets_project.outbox.repairing import reopen
from tickets_project.outbox.subscriptions import Subscription, subscriptions

BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which messages, and for which handlers; what is None or empty does not restrict. Both times are included."""

    ids: tuple[UUID, ...] = ()
    types: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    aggregate_id: str | None = None
    handlers: tuple[str, ...] = ()
    force: bool = False

    def messages(self) -> QuerySet[Message]:
        """Return the selected messages, oldest first."""
        wanted = {
            "id__in": self.ids,
            "type__in": self.types or tuple(self._types_heard()),
            "published_at__gte": self.since,
            "published_at__lte": self.until,
            "aggregateid": self.aggregate_id,
        }
        return Message.objects.filter(**{key: value for key, value in wanted.items() if value}).order_by("sequence")

    def subscriptions_of(self, message_type: str) -> list[Subscription[Any]]:
        """Return the selected handlers of a message type."""
        heard = [entry for entry in subscriptions().of(message_type) if not self.handlers or entry.key in self.handlers]
        return [entry for entry in heard if entry.replayable or self.force]

    def check(self) -> None:
        """Refuse handlers that are unknown, or named although they must not be repeated.

        :raises UnknownHandler: if the table has no such key
        :raises NotReplayable: if the handler must not be repeated and `force` is off
        """
        for key in self.handlers:
            if key not in {entry.key for entry in subscriptions()}:
                raise UnknownHandler(f"The subscription table has no handler {key}.")
            if not subscriptions().by_key(key).replayable and not self.force:
                raise NotReplayable(f"{key} must not be repeated; force it if you are sure.")

    def _types_heard(self) -> Iterator[str]:
        """Yield the message types that the named handlers hear; nothing when no handler is named."""
        return (subscriptions().by_key(key).message.NAME for key in self.handlers)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay would do, as of one moment: messages up to `last_sequence`, and deliveries by handler."""

    selection: Selection
    last_sequence: int
    messages: int
    deliveries: Counter[str]


def plan_replay(selection: Selection) -> Plan:
    """Count what a replay would open; what is published later is not part of it.

    :raises UnknownHandler: if the table has no such key
    :raises NotReplayable: if a named handler must not be repeated and `force` is off
    """
    selection.check()
    last = selection.messages().aggregate(last=Max("sequence"))["last"] or 0
    messages = selection.messages().filter(sequence__lte=last)
    by_type = dict(messages.order_by().values_list("type").annotate(Count("id")))
    deliveries: Counter[str] = Counter()
    for message_type, count in by_type.items():
        deliveries.update({entry.key: count for entry in selection.subscriptions_of(message_type)})
    pending = Delivery.objects.filter(message__in=messages.order_by(), status=Status.PENDING, handler__in=deliveries)
    deliveries.subtract(dict(pending.values_list("handler").annotate(Count("id"))))
    return Plan(selection, last, sum(by_type.values()), +deliveries)


def replay(
    plan: Plan, *, by: str, reason: str = "", rate: int | None = None, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Open the planned deliveries in batches, at most `rate` messages a second; return how many were opened.

    A delivery that is pending already is left alone. Each batch commits by itself, so an interruption keeps what
    was done.
    """
    opened, started, done = 0, monotonic(), 0
    for batch in _batches(plan, size=min(BATCH, rate or BATCH)):
        opened += _open_batch(plan.selection, batch, by=by, reason=reason)
        done += len(batch)
        progress(len(batch))
        if rate:
            sleep(max(0.0, started + done / rate - monotonic()))
    return opened


def _batches(plan: Plan, *, size: int) -> Iterator[list[Message]]:
    last = 0
    while batch := list(plan.selection.messages().filter(sequence__gt=last, sequence__lte=plan.last_sequence)[:size]):
        yield batch
        last = batch[-1].sequence


@transaction.atomic
def _open_batch(selection: Selection, batch: list[Message], *, by: str, reason: str) -> int:
    existing = {
        (delivery.message_id, delivery.handler): delivery
        for delivery in Delivery.objects.select_for_update().filter(message__in=batch).order_by("id")
    }
    interventions = []
    for message in batch:
        for subscription in selection.subscriptions_of(message.type):
            delivery = existing.get((message.id, subscription.key))
            if delivery is None or delivery.status != Status.PENDING:
                interventions.append(_open(message, subscription, delivery, by=by, reason=reason))
    Intervention.objects.bulk_create(interventions)
    wake()
    return len(interventions)


def _open(
    message: Message, subscription: Subscription[Any], delivery: Delivery | None, *, by: str, reason: str
) -> Intervention:
    previous = delivery.status if delivery else ""
    row = delivery or delivery_row(message, subscription)
    reopen(row)
    return Intervention(
        delivery=row,
        action="replayed",
        by=by,
        reason=reason,
        previous_status=previous,
        previous_error=row.last_error,
    )

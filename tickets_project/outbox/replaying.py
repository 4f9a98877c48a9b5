"""Replay: open deliveries of stored messages once more, never new messages.

A handler that is newer than a message gets its first delivery of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from time import sleep
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Max, QuerySet

from tickets_project.outbox.errors import NotReplayable, UnknownHandler
from tickets_project.outbox.models import Delivery, Intervention, Message, Status
from tickets_project.outbox.pace import Pace
from tickets_project.outbox.publishing import delivery_row, wake
from tickets_project.outbox.repairing import reopen
from tickets_project.outbox.subscriptions import Subscription, subscriptions

BATCH = 200
STEP_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which messages, and for which handlers; what is None or empty does not restrict.

    Both times are included; `after` is the sequence of the last message that is left out.
    """

    ids: tuple[UUID, ...] = ()
    types: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
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
            "sequence__gt": self.after,
            "aggregateid": self.aggregate_id,
        }
        return Message.objects.filter(**{key: value for key, value in wanted.items() if value}).order_by("sequence")

    def subscriptions_of(self, message_type: str) -> list[Subscription[Any]]:
        """Return the selected handlers of a message type."""
        return [entry for entry in self._heard(message_type) if entry.replayable or self.force]

    def left_out_of(self, message_type: str) -> list[str]:
        """Return the handlers of a message type that would be selected if they could be repeated."""
        return [entry.key for entry in self._heard(message_type) if not entry.replayable and not self.force]

    def check(self) -> None:
        """Refuse handlers that are unknown, hear none of these types, or are named although they must not be repeated.

        :raises UnknownHandler: if the table has no such key, or not for these types
        :raises NotReplayable: if the handler must not be repeated and `force` is off
        """
        for key in self.handlers:
            if key not in {entry.key for entry in subscriptions()}:
                raise UnknownHandler(f"The subscription table has no handler {key}.")
            if self.types and subscriptions().by_key(key).message.NAME not in self.types:
                raise UnknownHandler(f"{key} does not hear {' or '.join(self.types)}.")
            if not subscriptions().by_key(key).replayable and not self.force:
                raise NotReplayable(f"{key} must not be repeated; force it if you are sure.")

    def _heard(self, message_type: str) -> list[Subscription[Any]]:
        return [entry for entry in subscriptions().of(message_type) if not self.handlers or entry.key in self.handlers]

    def _types_heard(self) -> Iterator[str]:
        """Yield the message types that the named handlers hear; nothing when no handler is named."""
        return (subscriptions().by_key(key).message.NAME for key in self.handlers)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay would do, as of one moment: messages up to `last_sequence`, by type, and deliveries by handler.

    `left_out` are the handlers that hear these messages and must not repeat them.
    """

    selection: Selection
    as_of: datetime
    last_sequence: int
    types: Counter[str]
    deliveries: Counter[str]
    left_out: tuple[str, ...]

    @property
    def messages(self) -> int:
        """Return how many messages are selected."""
        return self.types.total()

    def handlers(self) -> list[str]:
        """Return the handlers that the messages are opened for."""
        return [entry.key for name in self.types for entry in self.selection.subscriptions_of(name)]


def plan_replay(selection: Selection) -> Plan:
    """Count what a replay would open; what is published later is not part of it.

    :raises UnknownHandler: if the table has no such key, or not for these types
    :raises NotReplayable: if a named handler must not be repeated and `force` is off
    """
    selection.check()
    as_of = _now()
    last = selection.messages().aggregate(last=Max("sequence"))["last"] or 0
    messages = selection.messages().filter(sequence__lte=last, published_at__lte=as_of)
    types = Counter(dict(messages.order_by().values_list("type").annotate(Count("id"))))
    deliveries = Counter(
        {entry.key: count for name, count in types.items() for entry in selection.subscriptions_of(name)}
    )
    pending = Delivery.objects.filter(message__in=messages.order_by(), status=Status.PENDING, handler__in=deliveries)
    left_out = [key for name in sorted(types) for key in selection.left_out_of(name)]
    deliveries.subtract(dict(pending.values_list("handler").annotate(Count("id"))))
    return Plan(selection, as_of, last, types, +deliveries, tuple(left_out))


def replay(
    plan: Plan, *, by: str, reason: str = "", rate: int | None = None, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Open the planned deliveries in batches, due at most `rate` a second; return how many were opened."""
    run = Replay(plan, by=by, reason=reason, rate=rate)
    run.run(progress)
    return run.opened


class Replay:
    """One replay; what it has done so far can be read at any time, also when it was stopped or has failed.

    Each batch commits by itself. A delivery is left alone when it is pending already, or was delivered since the
    replay was planned.
    """

    def __init__(self, plan: Plan, *, by: str, reason: str = "", rate: int | None = None) -> None:
        self._plan, self._by, self._reason, self._rate = plan, by, reason, rate
        self._is_stopped = False
        self.messages = self.opened = 0
        self.last_sequence = plan.selection.after
        self.is_finished = False

    def run(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Open batch after batch, oldest message first, until all are opened or it is stopped."""
        pace = Pace(self._rate, now=_now()) if self._rate else None
        size = self._batch_size()
        while not self._is_stopped:
            batch, opened = self._open_batch(size, pace)
            self.opened += opened
            if not batch:
                self.is_finished = True
                return
            self.messages += len(batch)
            self.last_sequence = batch[-1].sequence
            progress(len(batch))
            while pace and pace.is_ahead() and not self._is_stopped:
                sleep(STEP_SECONDS)

    def stop(self) -> None:
        """End the run after the batch in hand; safe in a signal handler."""
        self._is_stopped = True

    def _batch_size(self) -> int:
        """Return how many messages a transaction takes: at a rate, no more than a second's worth."""
        if not self._rate:
            return BATCH
        heard_by = [len(self._plan.selection.subscriptions_of(name)) for name in self._plan.types]
        return min(BATCH, max(1, self._rate // max([1, *heard_by])))

    @transaction.atomic
    def _open_batch(self, size: int, pace: Pace | None) -> tuple[list[Message], int]:
        batch = list(self._messages_left()[:size])
        existing = self._deliveries_of(batch)
        opened = [
            self._open(message, subscription, existing.get((message.id, subscription.key)), pace)
            for message in batch
            for subscription in self._plan.selection.subscriptions_of(message.type)
            if self._is_to_be_opened(existing.get((message.id, subscription.key)))
        ]
        Intervention.objects.bulk_create(opened)
        wake()
        return batch, len(opened)

    def _messages_left(self) -> QuerySet[Message]:
        plan = self._plan
        left = plan.selection.messages().filter(
            sequence__gt=self.last_sequence, sequence__lte=plan.last_sequence, published_at__lte=plan.as_of
        )
        # Two replays of a message must not both make its first delivery to a new handler.
        return left.select_for_update(no_key=True)

    def _deliveries_of(self, batch: list[Message]) -> dict[tuple[UUID, str], Delivery]:
        rows = Delivery.objects.select_for_update().filter(message__in=batch, handler__in=self._plan.handlers())
        return {(row.message_id, row.handler): row for row in rows.order_by("id")}

    def _is_to_be_opened(self, delivery: Delivery | None) -> bool:
        if delivery is None:
            return True
        # A message may have got its number before the plan was made, and come to light after it.
        is_new = delivery.delivered_at is not None and delivery.delivered_at >= self._plan.as_of
        return delivery.status != Status.PENDING and not is_new

    def _open(
        self, message: Message, subscription: Subscription[Any], delivery: Delivery | None, pace: Pace | None
    ) -> Intervention:
        previous = delivery.status if delivery else ""
        row = delivery or delivery_row(message, subscription)
        reopen(row, due_at=pace.next_due() if pace else None)
        return Intervention(
            delivery=row,
            action="replayed",
            by=self._by,
            reason=self._reason,
            previous_status=previous,
            previous_error=row.last_error,
        )


def _now() -> datetime:
    """Return the time of the database, by whose clock deliveries fall due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [now] = cursor.fetchone()
        return now  # type: ignore[no-any-return] # a cursor has no types

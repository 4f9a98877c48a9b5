"""Pruning: delete closed deliveries and old messages, in batches that commit by themselves.

Each batch goes on where the last one ended, by the primary key or the sequence, and passes over rows that somebody has
locked: a run may be killed at any moment, two at once share the rows, and a replay or a dispatcher never waits long.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from tickets_project.outbox.keeping import may_prune
from tickets_project.outbox.models import Message
from tickets_project.outbox.worker.waking import Lifeline, Supervision

log = structlog.get_logger(__name__)

BATCH = 1000
RUN_SECONDS = 20.0
"""How long the schedule prunes at a time: the process that runs it is the one that runs all schedules."""


class StillNeeded(Protocol):
    """What OUTBOX_STILL_NEEDED names: it knows why messages about some things must stay."""

    def __call__(self, aggregate_ids: Collection[str], /, *, since: datetime) -> set[str]:
        """Return those about which somebody still reads; what has been over since before then needs no messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many rows went, or would go; `finished` when nothing is left that may go now.

    The deliveries that went together with their messages are not counted.
    """

    deliveries: int
    messages: int
    finished: bool = True


# The alias is `delivery`. What it may not be: open, closed lately, or touched by a person lately.
_CLOSED = """
    delivery.status IN ('delivered', 'discarded')
    AND (delivery.delivered_at IS NULL OR delivery.delivered_at < %(closed_before)s)
    AND NOT EXISTS (
        SELECT FROM outbox_intervention AS intervention
        WHERE intervention.delivery_id = delivery.id AND intervention.at >= %(closed_before)s
    )
"""
# What a person decided about one delivery stays as long as its message; that it was one of a replay's does not.
_PRUNABLE = f"""
    {_CLOSED}
    AND NOT EXISTS (
        SELECT FROM outbox_intervention AS decision
        WHERE decision.delivery_id = delivery.id AND decision.action <> 'replayed'
    )
    AND delivery.sequence <= %(last)s
"""
# A window of the primary key, whatever is in it. Ids are given in the order of time, so that a window in which every
# message is too young is the last one that matters.
_PRUNE_DELIVERIES = f"""
    WITH seen AS MATERIALIZED (
        SELECT id, sequence FROM outbox_delivery WHERE id > %(after)s ORDER BY id LIMIT %(limit)s
    ), doomed AS MATERIALIZED (
        SELECT delivery.id FROM outbox_delivery AS delivery
        WHERE delivery.id IN (SELECT id FROM seen) AND {_PRUNABLE}
        FOR UPDATE SKIP LOCKED
    ), forgotten AS (
        DELETE FROM outbox_intervention WHERE delivery_id IN (SELECT id FROM doomed)
    ), gone AS (
        DELETE FROM outbox_delivery WHERE id IN (SELECT id FROM doomed) RETURNING id
    )
    SELECT max(id), bool_or(sequence <= %(last)s), (SELECT count(*) FROM gone) FROM seen
"""  # noqa: S608 - made of constants
_COUNT_DELIVERIES = f"SELECT count(*) FROM outbox_delivery AS delivery WHERE {_PRUNABLE}"  # noqa: S608 - likewise
# The messages are locked already, so no replay opens them. A delivery that somebody has in hand keeps its message.
_PRUNE_MESSAGES = f"""
    WITH closed AS MATERIALIZED (
        SELECT delivery.id, delivery.message_id FROM outbox_delivery AS delivery
        WHERE delivery.message_id = ANY(%(ids)s) AND {_CLOSED}
        FOR UPDATE SKIP LOCKED
    ), doomed AS MATERIALIZED (
        SELECT id FROM unnest(%(ids)s::uuid[]) AS old (id)
        WHERE NOT EXISTS (
            SELECT FROM outbox_delivery AS delivery LEFT JOIN closed ON closed.id = delivery.id
            WHERE delivery.message_id = old.id AND closed.id IS NULL
        )
    ), leaving AS MATERIALIZED (
        SELECT closed.id FROM closed JOIN doomed ON doomed.id = closed.message_id
    ), forgotten AS (
        DELETE FROM outbox_intervention WHERE delivery_id IN (SELECT id FROM leaving)
    ), left_behind AS (
        DELETE FROM outbox_delivery WHERE id IN (SELECT id FROM leaving)
    ), gone AS (
        DELETE FROM outbox_message WHERE id IN (SELECT id FROM doomed) RETURNING type, published_at
    ), noted AS (
        INSERT INTO outbox_prunedtype AS pruned (type, messages, until)
        -- In one order, so that two who prune never wait for each other in a circle.
        SELECT type, count(*), max(published_at) FROM gone GROUP BY type ORDER BY type
        ON CONFLICT (type) DO UPDATE
        SET messages = pruned.messages + excluded.messages, until = greatest(pruned.until, excluded.until)
    )
    SELECT count(*) FROM gone
"""  # noqa: S608 - likewise
_COUNT_MESSAGES = f"""
    SELECT count(*) FROM unnest(%(ids)s::uuid[]) AS old (id)
    WHERE NOT EXISTS (
        SELECT FROM outbox_delivery AS delivery WHERE delivery.message_id = old.id AND NOT ({_CLOSED})
    )
"""  # noqa: S608 - likewise


def prune_now() -> None:
    """Prune for a few seconds, or until the worker is to stop: what the schedule runs."""
    lifeline, over_at = Lifeline(), monotonic() + RUN_SECONDS
    prune(at=timezone.now(), stop=lambda: monotonic() > over_at or lifeline.state() is not Supervision.PRESENT)


def prune(
    *, at: datetime, stop: Callable[[], bool] = lambda: False, progress: Callable[[int], None] = lambda _: None
) -> Pruned:
    """Delete what the settings let go, oldest first, until nothing is left or `stop` says so between two batches.

    A delivery goes OUTBOX_KEEP_DELIVERED_DAYS after it was closed, with the records of its replays; one that a person
    retried or discarded stays as long as its message. A message goes OUTBOX_KEEP_MESSAGES_DAYS after it was published,
    with what is left of its deliveries, unless one of them is open or was closed lately, or OUTBOX_STILL_NEEDED names
    its aggregate.

    :param progress: is told after each batch how many rows went
    """
    pruning, gone, stopped = _Pruning(at), {"deliveries": 0, "messages": 0}, False
    for table, batches in {"deliveries": pruning.deliveries(), "messages": pruning.messages()}.items():
        while not (stopped := stopped or stop()) and (count := next(batches, None)) is not None:
            gone[table] += count
            progress(count)
    return Pruned(**gone, finished=not stopped)


def count_prunable(*, at: datetime) -> Pruned:
    """Return how much a whole run would delete; nothing is locked or changed."""
    pruning = _Pruning(at)
    return Pruned(deliveries=pruning.count_deliveries(), messages=sum(pruning.count_messages()))


class _Pruning:
    """One run: what is old, as of its beginning."""

    def __init__(self, at: datetime) -> None:
        self._delivered_before = _before(at, settings.OUTBOX_KEEP_DELIVERED_DAYS)
        self._published_before = _before(at, settings.OUTBOX_KEEP_MESSAGES_DAYS)
        # Without the upper end the last batch would look through all that is young.
        self._last_message = _last_sequence(self._published_before)
        closed_before = self._delivered_before or self._published_before
        self._closed = {"closed_before": closed_before, "last": _last_sequence(closed_before)}

    def deliveries(self) -> Iterator[int]:
        """Delete a batch of deliveries at each step; yield how many."""
        after: int | None = 0
        while self._delivered_before and after is not None:
            seen_to, is_old, gone = _ask(_PRUNE_DELIVERIES, self._closed | {"after": after, "limit": BATCH})
            yield gone
            after = seen_to if is_old else None

    def messages(self) -> Iterator[int]:
        """Delete a batch of messages, and what is left of their deliveries, at each step; yield how many."""
        after = 0
        while True:
            with transaction.atomic():
                if not may_prune():
                    log.info("somebody reads all messages, so none is pruned now")
                    return
                batch = list(self._old(after).select_for_update(skip_locked=True)[:BATCH])
                if not batch:
                    return
                gone = self._ask_about(batch, _PRUNE_MESSAGES)
            yield gone
            after = batch[-1].sequence

    def count_deliveries(self) -> int:
        """Return how many deliveries would go before their messages."""
        return int(_ask(_COUNT_DELIVERIES, self._closed)[0]) if self._delivered_before else 0

    def count_messages(self) -> Iterator[int]:
        """Yield how many messages would go, batch by batch."""
        after = 0
        while batch := list(self._old(after)[:BATCH]):
            yield self._ask_about(batch, _COUNT_MESSAGES)
            after = batch[-1].sequence

    def _old(self, after: int) -> QuerySet[Message]:
        if self._published_before is None:
            return Message.objects.none()
        old = Message.objects.filter(published_at__lt=self._published_before)
        window = old.filter(sequence__gt=after, sequence__lte=self._last_message)
        return window.order_by("sequence").only("sequence", "aggregateid")

    def _ask_about(self, batch: list[Message], sql: str) -> int:
        ids = self._not_needed(batch, since=self._published_before) if self._published_before else []
        return int(_ask(sql, self._closed | {"ids": ids})[0]) if ids else 0

    def _not_needed(self, batch: list[Message], *, since: datetime) -> list[UUID]:
        about = {message.aggregateid for message in batch}
        needed = set[str]().union(*(ask(about, since=since) for ask in still_needed()))
        return [message.id for message in batch if message.aggregateid not in needed]


def still_needed() -> list[StillNeeded]:
    """Return the functions that OUTBOX_STILL_NEEDED names.

    :raises ImportError: if there is none of that name
    """
    return [import_string(path) for path in settings.OUTBOX_STILL_NEEDED]


def _before(at: datetime, days: int) -> datetime | None:
    return at - timedelta(days=days) if days else None


def _last_sequence(before: datetime | None) -> int:
    """Return the sequence of the youngest message from before then, 0 when there is none."""
    if before is None:
        return 0
    old = Message.objects.filter(published_at__lt=before).order_by("-published_at", "-sequence")
    return old.values_list("sequence", flat=True).first() or 0


def _ask(sql: str, parameters: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()

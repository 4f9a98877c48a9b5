"""Forgetting which messages were counted, once the messages are pruned: nothing can deliver them again."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

BATCH = 1000
_FIRST = (UUID(int=0), "")

# A window of the primary key, whatever is in it. The ids of messages begin with their time, so that those of pruned
# messages come first.
_FORGET = """
    WITH seen AS MATERIALIZED (
        SELECT message_id, kind FROM analytics_countedmessage
        WHERE (message_id, kind) > (%(after_id)s, %(after_kind)s) AND message_id < %(before)s
        ORDER BY message_id, kind LIMIT %(limit)s
    ), gone AS (
        DELETE FROM analytics_countedmessage AS counted USING seen
        WHERE counted.message_id = seen.message_id AND counted.kind = seen.kind
            AND NOT EXISTS (SELECT FROM outbox_message AS message WHERE message.id = seen.message_id)
        RETURNING counted.kind
    ), last AS (
        SELECT message_id, kind FROM seen ORDER BY message_id DESC, kind DESC LIMIT 1
    )
    SELECT last.message_id, last.kind, (SELECT count(*) FROM gone) FROM last
"""


def forget_pruned_now() -> None:
    """Forget at this moment: the daily schedule."""
    forget_pruned(at=timezone.now())


def forget_pruned(*, at: datetime) -> int:
    """Forget that pruned messages were counted, in batches that commit by themselves; return how many counts.

    The totals stay. Nothing is done while OUTBOX_KEEP_MESSAGES_DAYS keeps messages for ever.
    """
    if not settings.OUTBOX_KEEP_MESSAGES_DAYS:
        return 0
    before = _first_id_of(at - timedelta(days=settings.OUTBOX_KEEP_MESSAGES_DAYS))
    forgotten, last = 0, _FIRST
    while batch := _forget(last, before):
        last, forgotten = batch[:2], forgotten + batch[2]
    return forgotten


def _forget(after: tuple[UUID, str], before: UUID) -> tuple[UUID, str, int] | None:
    """Forget one batch; return its last key and how many went, None when there is none."""
    parameters: dict[str, Any] = {"after_id": after[0], "after_kind": after[1], "before": before, "limit": BATCH}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, parameters)
        row: tuple[UUID, str, int] | None = cursor.fetchone()
        return row


def _first_id_of(moment: datetime) -> UUID:
    """Return the least id that a message published then could have; RFC 9562, section 5.7: milliseconds come first."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)

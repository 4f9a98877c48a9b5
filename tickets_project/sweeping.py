"""Doing something to each row that is due, as schedules do.

Each row is a transaction of its own, and says itself whether it is done: a run may be killed at any moment, and the
next one goes on; two runs at once share the rows. A row that fails is logged and waits for the next run.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import structlog
from django.db.models import QuerySet

from tickets_project.correlation import current_trace, tracing
from tickets_project.refusals import DomainError

BATCH = 100

log = structlog.get_logger(__name__)


def count_done(do: Callable[[UUID], bool], due: QuerySet[Any], *, oldest_by: str) -> int:
    """Do it to each due row, oldest first, in a trace of its own; return how many it was done to.

    :param do: takes a row's id; False when somebody else was quicker
    :param oldest_by: the field that tells which is oldest, never null
    """
    return sum(_is_done(do, row_id) for row_id in _ids(due, oldest_by))


def _is_done(do: Callable[[UUID], bool], row_id: UUID) -> bool:
    with tracing(current_trace()):
        try:
            return do(row_id)
        except DomainError as refusal:
            log.info("not due any more", row=str(row_id), refusal=refusal.code)
        except Exception:
            # The other rows are still to be done.
            log.exception("row failed", row=str(row_id))
    return False


def _ids(due: QuerySet[Any], oldest_by: str) -> Iterator[UUID]:
    """Yield the due rows' ids, read in batches: each once, so that a run ends whatever becomes of its rows."""
    rows = due.order_by(oldest_by, "id").values_list(oldest_by, "id")
    batch = list(rows[:BATCH])
    while batch:
        yield from (row_id for _, row_id in batch)
        last, last_id = batch[-1]
        later = rows.filter(**{f"{oldest_by}__gte": last}).exclude(**{oldest_by: last, "id__lte": last_id})
        batch = list(later[:BATCH])

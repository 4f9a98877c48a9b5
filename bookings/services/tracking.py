"""Tracker rows: which are in their sheet. The sheets take a row twice, so only one attempt at a time may append it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from bookings.models import TrackerRow


def note_row(*, ticket_id: UUID, sheet: str, at: datetime) -> tuple[TrackerRow, bool]:
    """Return the ticket's row, noted before the sheet is asked; True when nobody noted it before."""
    return TrackerRow.objects.get_or_create(ticket_id=ticket_id, sheet=sheet, defaults={"asked_at": at})


def is_in_flight(row: TrackerRow, *, at: datetime) -> bool:
    """Tell whether an attempt may still append the row: one that runs, or one that was given up without an answer."""
    return at - row.asked_at < _longest_call()


def take_over(row: TrackerRow, *, at: datetime) -> bool:
    """Let one attempt, of those that saw this row, append it; False when another has it."""
    taken = _as_seen(row).update(asked_at=at) == 1
    row.asked_at = at
    return taken


def let_go(row: TrackerRow) -> None:
    """Note that this attempt is over, so that the next need not wait."""
    _as_seen(row).update(asked_at=row.asked_at - _longest_call())


def record_appended(*, row_id: int, at: datetime) -> None:
    """Note that the row is in its sheet; the first note stays."""
    TrackerRow.objects.filter(pk=row_id, appended_at=None).update(appended_at=at)


def _as_seen(row: TrackerRow) -> QuerySet[TrackerRow]:
    return TrackerRow.objects.filter(pk=row.pk, asked_at=row.asked_at, appended_at=None)


def _longest_call() -> timedelta:
    """Return how long a call may take, and a little more."""
    return timedelta(seconds=sum(settings.GATEWAY_TIMEOUTS) + 1)

"""Whose turn it is to append a row to a tracker sheet."""

from datetime import timedelta
from uuid import UUID

import pytest
from pytest_django import Settings

from bookings.models import TrackerRow
from bookings.services.tracking import is_in_flight, let_go, note_row, record_appended, take_over
from tests.factories import NOON

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def row() -> TrackerRow:
    return note_row(ticket_id=UUID(int=1), sheet="tickets-to-print", at=NOON)[0]


class TestNoteRow:
    def test_notes_a_row_once_per_ticket_and_sheet(self, row: TrackerRow) -> None:
        assert note_row(ticket_id=UUID(int=1), sheet="tickets-to-print", at=NOON + SECOND) == (row, False)
        assert note_row(ticket_id=UUID(int=1), sheet="tickets-to-refund", at=NOON)[1]
        assert note_row(ticket_id=UUID(int=2), sheet="tickets-to-print", at=NOON)[1]
        row.refresh_from_db()
        assert row.asked_at == NOON


class TestIsInFlight:
    def test_lasts_as_long_as_a_call_may_take(self, row: TrackerRow, settings: Settings) -> None:
        settings.GATEWAY_TIMEOUTS = (2, 5)
        assert is_in_flight(row, at=NOON + 7 * SECOND)
        assert not is_in_flight(row, at=NOON + 8 * SECOND)

    def test_ends_when_the_attempt_is_over(self, row: TrackerRow) -> None:
        let_go(row)
        assert not is_in_flight(TrackerRow.objects.get(), at=NOON)


class TestTakeOver:
    def test_is_for_the_first_of_those_that_saw_the_row(self, row: TrackerRow) -> None:
        other = TrackerRow.objects.get()
        assert take_over(row, at=NOON + SECOND)
        assert not take_over(other, at=NOON + 2 * SECOND)
        assert TrackerRow.objects.get().asked_at == NOON + SECOND

    def test_is_refused_once_the_row_is_there(self, row: TrackerRow) -> None:
        record_appended(row_id=row.pk, at=NOON)
        assert not take_over(row, at=NOON + SECOND)


class TestLetGo:
    def test_leaves_the_row_to_whoever_has_taken_it_over(self, row: TrackerRow) -> None:
        assert take_over(TrackerRow.objects.get(), at=NOON + SECOND)
        let_go(row)
        assert TrackerRow.objects.get().asked_at == NOON + SECOND


class TestRecordAppended:
    def test_keeps_the_first_note(self, row: TrackerRow) -> None:
        for at in (NOON, NOON + SECOND):
            record_appended(row_id=row.pk, at=at)
        assert TrackerRow.objects.get().appended_at == NOON

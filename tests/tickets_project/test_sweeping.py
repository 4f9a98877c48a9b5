"""Doing something to each due row: each once, oldest first, whatever becomes of the others."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import F, QuerySet
from structlog.testing import capture_logs

from bookings.models import Show
from tests.factories import NOON, ShowFactory, TicketTypeFactory
from tickets_project.correlation import Trace, current_trace, tracing
from tickets_project.refusals import DomainError
from tickets_project.sweeping import BATCH, count_done

MINUTE = timedelta(minutes=1)


class TooLate(DomainError):
    """Somebody was quicker."""

    code = "too_late"


def shows(count: int, *, minutes_apart: int = 0) -> list[UUID]:
    """Store shows that have begun, and return their ids in the order in which they did."""
    kind = TicketTypeFactory.create()
    made = [
        ShowFactory.build(start_time=NOON + number * minutes_apart * MINUTE, ticket_type=kind)
        for number in range(count)
    ]
    Show.objects.bulk_create(made)
    return [show.id for show in sorted(made, key=lambda show: (show.start_time, show.id))]


def due(at: datetime = NOON) -> QuerySet[Show]:
    """Return the shows that nobody has marked by selling no more seats."""
    return Show.objects.filter(start_time__lte=at + 10_000 * MINUTE).exclude(title="swept")


def mark(show_id: UUID) -> bool:
    return Show.objects.filter(id=show_id).update(title="swept") == 1


def swept(do: Callable[[UUID], bool]) -> int:
    return count_done(do, due(), oldest_by="start_time")


@pytest.mark.django_db
class TestCountDone:
    @pytest.mark.parametrize("minutes_apart", [0, 1])
    def test_does_each_once_oldest_first_batch_after_batch(self, minutes_apart: int) -> None:
        in_order, done = shows(2 * BATCH + 50, minutes_apart=minutes_apart), list[UUID]()

        def do(show_id: UUID) -> bool:
            done.append(show_id)
            return mark(show_id)

        assert swept(do) == len(in_order)
        assert done == in_order
        assert swept(do) == 0

    def test_ends_when_every_row_stays_due(self) -> None:
        in_order, tried = shows(2 * BATCH + 50), list[UUID]()

        def leave(show_id: UUID) -> bool:
            tried.append(show_id)
            return False

        assert swept(leave) == 0
        assert tried == in_order

    def test_does_nothing_when_nothing_is_due(self) -> None:
        assert swept(mark) == 0

    def test_counts_what_somebody_else_did_for_them(self) -> None:
        first, *_ = shows(3)
        assert swept(lambda show_id: show_id != first and mark(show_id)) == 2

    def test_leaves_what_became_due_while_it_ran_to_the_next_run(self) -> None:
        first, *_ = shows(3, minutes_apart=1)

        def bring_back(show_id: UUID) -> bool:
            mark(show_id)
            Show.objects.filter(id=first).update(title="again", start_time=F("start_time") - MINUTE)
            return True

        assert swept(bring_back) == 3
        assert swept(mark) == 1

    def test_passes_over_a_row_that_is_refused(self) -> None:
        first, *others = shows(3)

        def do(show_id: UUID) -> bool:
            if show_id == first:
                raise TooLate
            return mark(show_id)

        with capture_logs() as lines:
            assert swept(do) == len(others)
        assert [(line["event"], line["row"], line["refusal"], line["log_level"]) for line in lines] == [
            ("not due any more", str(first), "too_late", "info")
        ]

    def test_passes_over_a_row_that_fails_and_says_so(self) -> None:
        first, *others = shows(3)

        def do(show_id: UUID) -> bool:
            if show_id == first:
                raise ValueError("broken")
            return mark(show_id)

        with capture_logs() as lines:
            assert swept(do) == len(others)
        assert [(line["event"], line["row"], line["log_level"]) for line in lines] == [
            ("row failed", str(first), "error")
        ]
        assert swept(mark) == 1

    def test_goes_on_where_it_was_cut_off(self) -> None:
        in_order = shows(5)

        def exit_at_the_third(show_id: UUID) -> bool:
            if show_id == in_order[2]:
                raise SystemExit
            return mark(show_id)

        with pytest.raises(SystemExit):
            swept(exit_at_the_third)
        assert swept(mark) == 3

    def test_traces_each_row_by_itself(self) -> None:
        shows(3)
        traces = list[Trace]()

        def do(show_id: UUID) -> bool:
            traces.append(current_trace())
            return mark(show_id)

        swept(lambda show_id: do(show_id) and do(show_id))
        first, again, *others = traces
        assert first == again
        assert len({trace.correlation_id for trace in traces}) == len(others) - 1 == 3

    def test_keeps_to_the_trace_that_it_was_called_in(self) -> None:
        shows(2)
        traces = list[Trace]()

        def do(show_id: UUID) -> bool:
            traces.append(current_trace())
            return mark(show_id)

        called_in = Trace(correlation_id="c1", causation_id="m1")
        with tracing(called_in):
            swept(do)
        assert traces == [called_in] * 2


@pytest.mark.django_db(transaction=True)
class TestCountDoneTransactions:
    def test_leave_what_was_done_before_a_row_failed(self) -> None:
        first, last = shows(2, minutes_apart=1)

        @transaction.atomic
        def do(show_id: UUID) -> bool:
            mark(show_id)
            if show_id == last:
                raise ValueError("broken")
            return True

        with capture_logs():
            assert swept(do) == 1
        assert list(due().values_list("id", flat=True)) == [last]
        assert Show.objects.get(id=first).title == "swept"

    def test_go_on_with_the_next_row_when_the_connection_is_lost(self) -> None:
        first, *others = shows(3, minutes_apart=1)

        def do(show_id: UUID) -> bool:
            with transaction.atomic():
                if show_id == first:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                return mark(show_id)

        with capture_logs() as lines:
            assert swept(do) == len(others)
        assert [line["row"] for line in lines] == [str(first)]

"""What the clock does: when exactly, once, whatever else happens at the same time."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from inspect import signature
from itertools import count
from pydoc import locate
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings
from structlog.testing import capture_logs

from bookings.models import Booking, BookingStatus, Show, TicketStatus
from bookings.schedules import (
    complete_past_bookings,
    expire_tickets,
    release_unconfirmed_bookings,
)
from bookings.services.releasing import release_booking
from tests.bookings.due import (
    DAY,
    HOLD,
    HOUR,
    SECOND,
    Case,
    active_tickets,
    confirmed,
    each_schedule,
    pending,
    refusing,
)
from tests.bookings.published import payload
from tests.factories import NOON, ShowFactory
from tickets_project import sweeping
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db


class TestEachSchedule:
    @each_schedule
    def test_does_each_due_row_once(self, case: Case) -> None:
        due = case.make(3, NOON)
        assert case.run(at=NOON - SECOND) == 0
        assert case.run(at=NOON) == 3
        assert case.run(at=NOON) == case.run(at=NOON + SECOND) == 0
        assert sorted(case.done()) == sorted(due)

    @each_schedule
    def test_does_nothing_when_nothing_is_due(self, case: Case) -> None:
        assert case.run(at=NOON) == 0

    @each_schedule
    def test_stops_for_no_failing_row(self, case: Case) -> None:
        failing, *others = case.make(3, NOON)
        with refusing(case, only=failing), capture_logs() as lines:
            assert case.run(at=NOON) == 2
        assert sorted(case.done()) == sorted(others)
        [line] = lines
        assert (line["event"], line["row"], line["log_level"]) == ("row failed", failing, "error")
        assert case.run(at=NOON) == 1
        assert sorted(case.done()) == sorted([failing, *others])

    @each_schedule
    def test_goes_on_where_it_was_cut_off(self, case: Case) -> None:
        due = case.make(5, NOON)
        with connection.execute_wrapper(_exit_at_the_fourth_message()), pytest.raises(SystemExit):
            case.run(at=NOON)
        done = len(case.done())
        assert 0 < done < 5
        assert case.run(at=NOON) == 5 - done
        assert sorted(case.done()) == sorted(due)

    @each_schedule
    def test_traces_each_row_by_itself(self, case: Case) -> None:
        case.make(2, NOON)
        before = set(Message.objects.values_list("id", flat=True))
        case.run(at=NOON)
        traces: dict[str, set[str]] = {}
        for message in Message.objects.exclude(id__in=before):
            traces.setdefault(message.headers["correlation_id"], set()).add(message.aggregateid)
        assert len(traces) == 2
        recorded = AuditEntry.objects.filter(by="schedule").values_list("correlation_id", flat=True)
        assert set(recorded) <= traces.keys()

    @each_schedule
    def test_reads_the_clock_when_django_q_calls_it(self, case: Case) -> None:
        due = case.make(1, timezone.now())
        run = locate(f"bookings.schedules.{case.name}_now")
        assert callable(run)
        assert run() is None
        assert case.done() == due

    @each_schedule
    def test_works_through_batches(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweeping, "BATCH", 2)
        due = case.make(5, NOON)
        assert case.run(at=NOON) == 5
        assert sorted(case.done()) == sorted(due)

    @each_schedule
    def test_ends_when_every_row_fails(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweeping, "BATCH", 2)
        due = case.make(5, NOON)
        with refusing(case), capture_logs() as lines:
            assert case.run(at=NOON) == 0
        assert sorted(line["row"] for line in lines) == sorted(due)
        assert case.run(at=NOON) == 5


def _exit_at_the_fourth_message() -> Callable[..., Any]:
    """Return what ends a run in the middle of a row, by what django-q2 ends a task that takes too long."""
    numbers = count(1)

    def execute(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "INSERT INTO outbox_message" in sql and next(numbers) == 4:
            raise SystemExit
        return execute(sql, *rest)

    return execute


class TestExpireTickets:
    def test_expires_at_the_end(self) -> None:
        [ticket] = active_tickets(1, until=NOON)
        assert [expire_tickets(at=NOON + second * SECOND) for second in (-1, 0, 1)] == [0, 1, 0]
        ticket.refresh_from_db()
        assert (ticket.status, ticket.expired_at) == ("expired", NOON)
        owner = ticket.owner_id
        assert payload("ticket.expired") == {
            "ticket_id": str(ticket.id),
            "user_id": owner,
            "expired_at": "2026-05-02T12:00:00Z",
        }
        assert AuditEntry.objects.get(action="ticket_expired").by == "schedule"

    def test_leaves_what_is_not_active(self) -> None:
        booking = confirmed(starts=NOON - DAY, at=NOON - 30 * DAY)
        assert expire_tickets(at=NOON) == 0
        assert {ticket.status for ticket in booking.tickets.all()} == {TicketStatus.PENDING}


class TestCompletePastBookings:
    def test_completes_at_the_end(self) -> None:
        booking = confirmed(starts=NOON - 2 * HOUR, ends=NOON, at=NOON - DAY)
        assert [complete_past_bookings(at=NOON + second * SECOND) for second in (-1, 0, 1)] == [0, 1, 0]
        booking.refresh_from_db()
        assert (booking.status, booking.completed_at) == ("completed", NOON)
        assert payload("booking.completed")["completed_at"] == "2026-05-02T12:00:00Z"
        assert AuditEntry.objects.get(action="booking_completed").by == "schedule"

    def test_completes_six_hours_after_a_start_without_an_end(self) -> None:
        confirmed(starts=NOON - 6 * HOUR, at=NOON - DAY)
        assert [complete_past_bookings(at=NOON + second * SECOND) for second in (-1, 0, 1)] == [0, 1, 0]

    def test_leaves_what_is_not_confirmed(self) -> None:
        pending(starts=NOON - 2 * HOUR, ends=NOON - HOUR, at=NOON - DAY)
        assert complete_past_bookings(at=NOON) == 0


class TestReleaseUnconfirmedBookings:
    def test_releases_when_the_hold_is_over(self) -> None:
        booking = pending(at=NOON - HOLD)
        runs = [release_unconfirmed_bookings(at=NOON + second * SECOND) for second in (-1, 0, 1)]
        assert runs == [0, 1, 0]
        booking.refresh_from_db()
        assert (booking.status, booking.cancelled_at, booking.refund_amount) == ("cancelled", NOON, Decimal(0))
        assert booking.cancellation_reason == payload("booking.cancelled")["reason"] == "not confirmed in time"
        assert payload("booking.cancelled")["refund_amount"] == "0.00"
        assert AuditEntry.objects.get(action="booking_cancelled").by == "schedule"

    def test_frees_the_seats_and_tells_the_customer_once(self) -> None:
        booking = pending(at=NOON - HOLD)
        release_unconfirmed_bookings(at=NOON)
        show = Show.objects.get()
        assert show.seats_held == 0
        [notice] = Notification.objects.all()
        assert (notice.template, notice.about_id) == ("booking_cancelled", str(booking.id))

    def test_holds_as_long_as_the_setting_says(self, settings: Settings) -> None:
        settings.BOOKING_HOLD_MINUTES = 30
        pending(at=NOON - timedelta(minutes=30))
        assert [release_unconfirmed_bookings(at=NOON + second * SECOND) for second in (-1, 0)] == [0, 1]

    def test_releases_what_the_vendor_never_confirmed(self) -> None:
        show = ShowFactory.create(dead_nation_id=uuid4(), start_time=NOON + DAY)
        pending(show=show, at=NOON - HOLD)
        assert release_unconfirmed_bookings(at=NOON) == 1

    def test_leaves_what_is_confirmed(self) -> None:
        confirmed(at=NOON - DAY)
        assert release_unconfirmed_bookings(at=NOON) == 0


class TestReleaseBooking:
    def test_leaves_a_confirmed_booking_and_its_tickets(self) -> None:
        booking = confirmed()
        act = Act(at=NOON, automatic="schedule")
        assert release_booking(booking_id=booking.id, act=act, created_before=NOON) is False
        booking.refresh_from_db()
        assert booking.status == BookingStatus.CONFIRMED
        assert {ticket.status for ticket in booking.tickets.all()} == {TicketStatus.PENDING}

    def test_leaves_a_younger_booking(self) -> None:
        booking = pending(at=NOON)
        act = Act(at=NOON, automatic="schedule")
        assert release_booking(booking_id=booking.id, act=act, created_before=NOON - SECOND) is False
        assert release_booking(booking_id=booking.id, act=act, created_before=NOON) is True

    def test_needs_a_booking(self) -> None:
        with pytest.raises(Booking.DoesNotExist):
            release_booking(booking_id=uuid4(), act=Act(at=NOON), created_before=NOON)


class TestMigration:
    def test_schedules_what_django_q_can_call(self) -> None:
        migration = import_module("bookings.migrations.0004_schedule_the_clock")
        migration.add(apps, None)
        migration.add(apps, None)
        rows = Schedule.objects.filter(name__in=migration.SCHEDULES)
        assert len(rows) == 4
        for row in rows:
            run = locate(row.func)
            assert callable(run)
            assert not signature(run).parameters
            assert (row.schedule_type, row.minutes) == (Schedule.MINUTES, 1)

    def test_can_be_undone(self) -> None:
        migration = import_module("bookings.migrations.0004_schedule_the_clock")
        migration.add(apps, None)
        other = Schedule.objects.create(name="other", func="math.sqrt")
        migration.remove(apps, None)
        assert not Schedule.objects.filter(func__startswith="bookings.").exists()
        assert Schedule.objects.filter(pk=other.pk).exists()

"""The schedules while somebody else changes the same rows: one of the two happens, never both."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Barrier, Event, get_ident
from typing import Any

import pytest
from django.db.models import QuerySet
from django.db.models.signals import pre_save
from structlog.testing import capture_logs

from bookings.errors import BookingNotPending
from bookings.models import Booking, BookingStatus, Show, Ticket
from bookings.models.tickets import OPEN
from bookings.schedules import complete_past_bookings, expire_tickets, release_unconfirmed_bookings, send_reminders
from bookings.services import cancel_booking, change_show, confirm_booking
from tests.bookings.due import (
    DAY,
    EXPIRE,
    HOLD,
    HOUR,
    REMIND,
    SECOND,
    Case,
    active_tickets,
    confirmed,
    each_schedule,
    pending,
    refusing,
    reminders,
    told,
)
from tests.bookings.threads import at_once, once_it_waits
from tests.factories import NOON, show_of, staff_act
from tickets_project.notifications.models import Notification

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def hearing(table: type[Any], hear: Callable[[], object]) -> Iterator[None]:
    """Be called before each row of the table is written."""

    def receive(**_signal: Any) -> None:
        hear()

    pre_save.connect(receive, sender=table)
    try:
        yield
    finally:
        pre_save.disconnect(receive, sender=table)


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)


class TestEachSchedule:
    @each_schedule
    def test_does_each_row_once_when_two_run_at_once(self, case: Case) -> None:
        due = case.make(40, NOON)
        with capture_logs() as lines:
            runs: list[Any] = at_once([partial(case.run, at=NOON), partial(case.run, at=NOON + SECOND)])
        assert sum(runs) == 40
        assert sorted(case.done()) == sorted(due)
        assert not [line for line in lines if line["log_level"] == "error"]

    def test_goes_on_with_the_next_row_when_the_connection_is_lost(self) -> None:
        due = EXPIRE.make(3, NOON)
        with refusing(EXPIRE, only=due[0], by="PERFORM pg_terminate_backend(pg_backend_pid())"):
            assert expire_tickets(at=NOON) == 2
        assert sorted(EXPIRE.done()) == sorted(due[1:])


class TestSendReminders:
    @pytest.mark.usefixtures("no_locks")
    def test_reminds_twice_with_the_lock_off(self) -> None:
        """Shows that two runs at once would do so without the lock."""
        REMIND.make(1, NOON)
        with hearing(Notification, partial(Barrier(2).wait, 30)):
            at_once([partial(send_reminders, at=NOON)] * 2)
        assert len(reminders()) == 2

    def test_reminds_of_no_time_that_is_being_changed(self) -> None:
        show = show_of(confirmed(starts=NOON, at=NOON - 9 * DAY))
        move = partial(change_show, show_id=show.id, act=staff_act(), start_time=NOON + DAY)
        assert once_it_waits(move, partial(send_reminders, at=NOON - HOUR)) == 0
        assert reminders() == []

    def test_reminds_of_nothing_that_is_being_cancelled(self) -> None:
        booking = confirmed(starts=NOON, at=NOON - 9 * DAY)
        cancel = partial(cancel_booking, booking_id=booking.id, act=staff_act())
        assert once_it_waits(cancel, partial(send_reminders, at=NOON - DAY)) == 0
        assert reminders() == []


class TestCompletePastBookings:
    def test_completes_nothing_that_is_being_moved(self) -> None:
        show = show_of(confirmed(starts=NOON - 6 * HOUR, at=NOON - DAY))
        move = partial(change_show, show_id=show.id, act=staff_act(), start_time=NOON + DAY)
        assert once_it_waits(move, partial(complete_past_bookings, at=NOON)) == 0
        assert told("booking.completed") == []

    def test_completes_nothing_that_is_being_cancelled(self) -> None:
        booking = confirmed(starts=NOON - 6 * HOUR, at=NOON - DAY)
        cancel = partial(cancel_booking, booking_id=booking.id, act=staff_act())
        with capture_logs() as lines:
            assert once_it_waits(cancel, partial(complete_past_bookings, at=NOON)) == 0
        assert told("booking.completed") == []
        [line] = lines
        assert (line["row"], line["refusal"]) == (str(booking.id), "booking_not_confirmed")


class TestExpireTickets:
    def test_expires_nothing_that_is_being_cancelled(self) -> None:
        booking = Booking.objects.get(tickets__in=active_tickets(1, until=NOON))
        cancel = partial(cancel_booking, booking_id=booking.id, act=staff_act())
        assert once_it_waits(cancel, partial(expire_tickets, at=NOON)) == 0
        assert told("ticket.expired") == []


def confirm(booking: Booking) -> Booking:
    return confirm_booking(booking_id=booking.id, act=staff_act(at=NOON), payment_id=None)


def open_tickets(booking: Booking) -> int:
    return Ticket.objects.filter(booking=booking, status__in=OPEN).count()


class TestReleaseUnconfirmedBookings:
    @pytest.mark.usefixtures("no_locks")
    def test_cancels_what_was_just_confirmed_with_the_lock_off(self) -> None:
        """Shows that the next tests would fail without the lock."""
        booking = pending(at=NOON - HOLD)
        asked, confirmed_now, here = Event(), Event(), get_ident()

        def wait_for_the_confirmation() -> None:
            if get_ident() != here:
                asked.set()
                confirmed_now.wait(30)

        with ThreadPoolExecutor(1) as pool, hearing(Show, wait_for_the_confirmation):
            releasing = pool.submit(at_once, [partial(release_unconfirmed_bookings, at=NOON)])
            asked.wait(30)
            confirm(booking)
            confirmed_now.set()
            assert releasing.result(30) == [1]
        booking.refresh_from_db()
        assert booking.status == BookingStatus.CANCELLED
        assert open_tickets(booking) == 2

    def test_leaves_what_is_being_confirmed(self) -> None:
        booking = pending(at=NOON - HOLD)
        assert once_it_waits(partial(confirm, booking), partial(release_unconfirmed_bookings, at=NOON)) == 0
        booking.refresh_from_db()
        assert booking.status == BookingStatus.CONFIRMED
        assert open_tickets(booking) == 2
        assert told("booking.cancelled") == []

    def test_is_final_for_a_confirmation_that_comes_too_late(self) -> None:
        booking = pending(at=NOON - HOLD)
        refusal = once_it_waits(partial(release_unconfirmed_bookings, at=NOON), partial(confirm, booking))
        assert isinstance(refusal, BookingNotPending)
        booking.refresh_from_db()
        assert booking.status == BookingStatus.CANCELLED
        assert not Ticket.objects.exists()
        assert told("booking.confirmed") == []

    def test_leaves_each_booking_either_confirmed_or_cancelled(self) -> None:
        first = pending(at=NOON - HOLD)
        bookings = [first, *(pending(show=first.show, at=NOON - HOLD) for _ in range(19))]
        tasks: list[Callable[[], Any]] = [partial(confirm, booking) for booking in reversed(bookings)]
        tasks.append(partial(release_unconfirmed_bookings, at=NOON))
        at_once(tasks)
        for booking in bookings:
            booking.refresh_from_db()
            assert open_tickets(booking) == booking.seats_held == (2 if booking.status == "confirmed" else 0)
        kept = sum(booking.status == BookingStatus.CONFIRMED for booking in bookings)
        assert show_of(first).seats_held == 2 * kept
        assert len(told("booking.confirmed")) == kept == 20 - len(told("booking.cancelled"))

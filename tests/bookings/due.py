"""Rows that fall due, and each schedule as a case of what is true of all of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from bookings.models import Booking, Ticket
from bookings.schedules import (
    complete_past_bookings,
    expire_tickets,
    release_unconfirmed_bookings,
    send_reminders,
)
from bookings.services import confirm_booking
from tests.factories import NOON, ShowFactory, TicketTypeFactory, pending_booking, staff_act
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Message

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
HOLD = timedelta(minutes=15)


def pending(**facts: Any) -> Booking:
    """Make a booking of a show that begins in a week, unless its start is given."""
    at, starts, ends = facts.pop("at", NOON), facts.pop("starts", None), facts.pop("ends", None)
    show = facts.pop("show", None) or ShowFactory.create(
        start_time=starts or at + 7 * DAY, end_time=ends, number_of_tickets=1000
    )
    return pending_booking(show=show, at=at, **facts)


def confirmed(**facts: Any) -> Booking:
    """Make a booking and confirm it at once, or when it is said."""
    confirmed_at = facts.pop("confirmed_at", None) or facts.get("at", NOON)
    return confirm_booking(booking_id=pending(**facts).id, act=staff_act(at=confirmed_at), payment_id=None)


def active_tickets(count: int, *, until: datetime) -> list[Ticket]:
    kind = TicketTypeFactory.create(name="at once", activation="on_confirmation")
    show = ShowFactory.create(
        start_time=until - 2 * HOUR, end_time=until, number_of_tickets=count, ticket_type=kind, price_amount=0
    )
    booking = confirmed(show=show, at=until - 30 * DAY, seats=count)
    return list(Ticket.objects.filter(booking=booking))


def told(event: str) -> list[str]:
    """Return whose ids the messages of this name carry."""
    return list(Message.objects.filter(type=event).values_list("aggregateid", flat=True))


def reminders() -> list[tuple[str, int]]:
    """Return which bookings were reminded how many hours before."""
    found = Notification.objects.filter(template="booking_reminder").order_by("created_at")
    return [(reminder.about_id, reminder.context["hours_before"]) for reminder in found]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A schedule, with rows that fall due at a moment, and what tells that they are done."""

    run: Callable[..., int]
    make: Callable[[int, datetime], list[str]]
    done: Callable[[], list[str]]
    table: str = "bookings_booking"

    @property
    def name(self) -> str:
        return str(self.run.__name__)


def _tickets_to_expire(count: int, at: datetime) -> list[str]:
    return [str(ticket.id) for ticket in active_tickets(count, until=at)]


def _bookings_to_complete(count: int, at: datetime) -> list[str]:
    made = pending(starts=at - 2 * HOUR, ends=at, at=at - 30 * DAY)
    return _confirmed_like(made, count, at=at - 30 * DAY)


def _bookings_to_release(count: int, at: datetime) -> list[str]:
    first = pending(at=at - HOLD)
    return _ids(first, *(pending(show=first.show, owner=first.owner, at=at - HOLD) for _ in range(count - 1)))


def _bookings_to_remind(count: int, at: datetime) -> list[str]:
    made = pending(starts=at + DAY, at=at - 30 * DAY)
    return _confirmed_like(made, count, at=at - 30 * DAY)


def _confirmed_like(made: Booking, count: int, *, at: datetime) -> list[str]:
    others = [pending(show=made.show, owner=made.owner, at=at, seats=1) for _ in range(count - 1)]
    for booking in (made, *others):
        confirm_booking(booking_id=booking.id, act=staff_act(at=at), payment_id=None)
    return _ids(made, *others)


def _ids(*rows: Booking) -> list[str]:
    return [str(row.id) for row in rows]


EXPIRE = Case(
    run=expire_tickets, make=_tickets_to_expire, done=partial(told, "ticket.expired"), table="bookings_ticket"
)
COMPLETE = Case(run=complete_past_bookings, make=_bookings_to_complete, done=partial(told, "booking.completed"))
RELEASE = Case(run=release_unconfirmed_bookings, make=_bookings_to_release, done=partial(told, "booking.cancelled"))
REMIND = Case(run=send_reminders, make=_bookings_to_remind, done=lambda: [booking_id for booking_id, _ in reminders()])
CASES = [EXPIRE, COMPLETE, RELEASE, REMIND]
each_schedule = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@contextmanager
def refusing(case: Case, *, only: str | None = None, by: str = "RAISE 'broken'") -> Iterator[None]:
    """Let the database refuse every change of the schedule's rows, or of one."""
    condition = f"WHEN (OLD.id = '{only}')" if only else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {by}; RETURN NEW; END $$;"
            f"CREATE TRIGGER refuse BEFORE UPDATE ON {case.table} FOR EACH ROW {condition} EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse CASCADE")

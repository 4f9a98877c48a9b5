"""Shows that are changed while they are booked."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from bookings.errors import SeatsAreHeld
from bookings.models import Booking, Show, Ticket, TicketType
from bookings.services import activate_ticket, cancel_booking, change_show, confirm_booking, scan, undo_scan
from tests.bookings.published import names
from tests.bookings.traces import entry, leaving_nothing
from tests.factories import (
    NOON,
    ShowFactory,
    StaffFactory,
    TicketTypeFactory,
    pending_booking,
    staff_act,
)
from tickets_project.audit.acts import Act

pytestmark = pytest.mark.django_db

START = NOON + timedelta(days=10)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def show(**fields: Any) -> Show:
    made: Show = ShowFactory.create(**{"start_time": START} | fields)
    return made


def change(show: Show, **fields: Any) -> Show:
    return change_show(show_id=show.id, act=Act(at=NOON), **fields)


def confirmed(show: Show, *, seats: int = 1) -> Booking:
    booking = pending_booking(show=show, seats=seats, at=NOON)
    return confirm_booking(booking_id=booking.id, act=staff_act(at=NOON), payment_id=None)


def active(show: Show) -> Ticket:
    ticket = confirmed(show).tickets.get()
    return activate_ticket(ticket_id=ticket.id, act=staff_act(at=NOON), code=None)


def times(booking: Booking) -> tuple[datetime, datetime | None]:
    stored = Booking.objects.get(id=booking.id)
    return stored.start_time, stored.end_time


def validity(ticket: Ticket) -> tuple[datetime | None, datetime | None]:
    stored = Ticket.objects.get(id=ticket.id)
    return stored.valid_from, stored.valid_until


class TestChangeShow:
    def test_changes_what_is_said_and_nothing_else(self) -> None:
        place = show(title="Carmen")
        pending_booking(show=place, at=NOON)
        changed = change(place, title="Aida", venue="Arena")
        stored = Show.objects.get()
        assert (changed.title, stored.title, stored.venue) == ("Aida", "Aida", "Arena")
        assert (stored.start_time, stored.seats_held, stored.number_of_tickets) == (START, 2, 10)

    def test_says_who_changed_what(self) -> None:
        ann = StaffFactory.create()
        place = show(title="Carmen", end_time=START + 2 * HOUR)
        change_show(show_id=place.id, act=Act(at=NOON, actor=ann), title="Aida", start_time=START + HOUR)
        made = entry("show_changed")
        assert (made.subject_type, made.subject_id, made.actor) == ("show", str(place.id), ann)
        assert made.details == {
            "before": {"title": "Carmen", "start_time": "2026-05-12T12:00:00Z"},
            "after": {"title": "Aida", "start_time": "2026-05-12T13:00:00Z"},
        }
        assert names() == []

    @pytest.mark.parametrize("ends", [None, START + 3 * HOUR])
    @pytest.mark.parametrize("ended", [None, START + 2 * HOUR])
    def test_moves_its_bookings(self, ended: datetime | None, ends: datetime | None) -> None:
        place = show(end_time=ended)
        made = [pending_booking(show=place, at=NOON), confirmed(place)]
        made.append(cancel_booking(booking_id=confirmed(place).id, act=staff_act(at=NOON)))
        other = pending_booking(show=show(), at=NOON)
        change(place, start_time=START + HOUR, end_time=ends)
        assert {times(booking) for booking in made} == {(START + HOUR, ends)}
        assert times(other) == (START, None)

    @pytest.mark.parametrize(
        "fields",
        [
            {"start_time": START + HOUR},
            {"start_time": START - HOUR},
            {"end_time": START + HOUR},
            {"end_time": None},
        ],
    )
    def test_has_people_reminded_anew_of_another_time(self, fields: dict[str, Any]) -> None:
        place = show(end_time=START + 2 * HOUR)
        booking = pending_booking(show=place, at=NOON)
        Booking.objects.update(day_reminder_at=NOON, hour_reminder_at=NOON)
        change(place, **fields)
        stored = Booking.objects.get(id=booking.id)
        assert (stored.day_reminder_at, stored.hour_reminder_at) == (None, None)

    @pytest.mark.parametrize(
        "fields", [{}, {"title": "Aida"}, {"start_time": START}, {"end_time": None}, {"doors_time": START - HOUR}]
    )
    def test_reminds_nobody_anew_of_the_same_time(self, fields: dict[str, Any]) -> None:
        place = show()
        pending_booking(show=place, at=NOON)
        Booking.objects.update(day_reminder_at=NOON, hour_reminder_at=NOON)
        change(place, **fields)
        stored = Booking.objects.get()
        assert (stored.day_reminder_at, stored.hour_reminder_at, stored.start_time) == (NOON, NOON, START)

    @pytest.mark.parametrize(
        ("fields", "valid"),
        [
            ({"start_time": START + DAY}, (START + DAY - 3 * HOUR, START + DAY + 6 * HOUR)),
            ({"end_time": START + HOUR}, (START - 3 * HOUR, START + HOUR)),
            ({"doors_time": START - HOUR}, (START - HOUR, START + 6 * HOUR)),
        ],
    )
    def test_moves_the_validity_of_active_tickets(
        self, fields: dict[str, Any], valid: tuple[datetime, datetime]
    ) -> None:
        place = show()
        ticket, other = active(place), active(show())
        assert validity(ticket) == validity(other) == (START - 3 * HOUR, START + 6 * HOUR)
        change(place, **fields)
        assert validity(ticket) == valid
        assert validity(other) == (START - 3 * HOUR, START + 6 * HOUR)

    def test_lets_tickets_that_are_activated_later_follow(self) -> None:
        place = show()
        ticket = confirmed(place).tickets.get()
        change(place, start_time=START + DAY)
        assert validity(ticket) == (None, None)
        activate_ticket(ticket_id=ticket.id, act=staff_act(at=NOON), code=None)
        assert validity(ticket) == (START + DAY - 3 * HOUR, START + DAY + 6 * HOUR)

    def test_moves_a_used_ticket_too_whose_scan_is_undone_later(self) -> None:
        place = show()
        ticket = active(place)
        scanned = scan(code=ticket.redemption_code, act=staff_act(at=START), location="", nonce=None)
        change(place, end_time=START + HOUR)
        undo_scan(scan_id=scanned.id, act=staff_act(at=START))
        assert validity(ticket) == (START - 3 * HOUR, START + HOUR)

    def test_leaves_tickets_that_are_valid_for_days(self) -> None:
        place = show(ticket_type=TicketTypeFactory.create(name="pass", valid_days=3))
        ticket = active(place)
        change(place, start_time=START + DAY)
        assert validity(ticket) == (NOON, NOON + 3 * DAY)

    def test_leaves_tickets_that_are_over(self) -> None:
        place = show()
        ticket = active(place)
        assert ticket.booking
        cancel_booking(booking_id=ticket.booking.id, act=staff_act(at=NOON))
        change(place, start_time=START + DAY)
        assert validity(ticket) == (START - 3 * HOUR, START + 6 * HOUR)

    def test_takes_no_seat_away_that_is_held(self) -> None:
        place = show()
        pending_booking(show=place, seats=3, at=NOON)
        with leaving_nothing(), pytest.raises(SeatsAreHeld) as refusal:
            change(place, number_of_tickets=2)
        assert refusal.value.extensions == {"seats_held": 3}
        assert change(place, number_of_tickets=3).seats_left == 0

    @pytest.mark.parametrize("fields", [{"end_time": START}, {"doors_time": START + HOUR}])
    def test_leaves_no_trace_of_what_the_database_refuses(self, fields: dict[str, Any]) -> None:
        place = show()
        with leaving_nothing(), pytest.raises(IntegrityError), transaction.atomic():
            change(place, **fields)

    def test_refuses_an_unknown_show(self) -> None:
        with pytest.raises(Show.DoesNotExist):
            change_show(show_id=uuid4(), act=Act(at=NOON), title="Aida")

    def test_asks_the_database_as_often_for_many_bookings_as_for_one(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        place = show(number_of_tickets=20)
        for _ in range(5):
            confirmed(place)
        with django_assert_max_num_queries(7):
            change(place, start_time=START + DAY)
        assert TicketType.objects.count() == 1

"""What the database and the declared transitions refuse, whatever the code asks."""

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_fsm import TransitionNotAllowed

from bookings.models import Booking, BookingStatus, OpeningHours, Show, Ticket, TicketType
from tests.bookings.rooms import after, book, room
from tests.factories import (
    NOON,
    ShowFactory,
    TicketTypeFactory,
    confirmed_booking,
    only_ticket,
    pending_booking,
    show_of,
)
from tickets_project.audit.acts import Act
from tickets_project.values import Money

pytestmark = pytest.mark.django_db


def refuses(row: Any, **fields: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**fields)


class TestTicketType:
    def test_has_a_name_of_its_own(self) -> None:
        assert str(TicketTypeFactory.create(name="vip")) == "vip"
        with pytest.raises(IntegrityError):
            TicketType.objects.create(name="vip")


class TestShow:
    def test_is_called_by_title_and_day(self) -> None:
        assert str(ShowFactory.build(start_time=NOON)) == "Carmen, 2026-05-02"

    def test_cannot_be_overbooked(self) -> None:
        refuses(ShowFactory.create(number_of_tickets=5), seats_held=6)
        refuses(ShowFactory.create(number_of_tickets=5), seats_held=-1)

    def test_cannot_shrink_below_what_is_booked(self) -> None:
        refuses(pending_booking(seats=3).show, number_of_tickets=2)

    def test_cannot_end_before_it_starts(self) -> None:
        show = ShowFactory.create(start_time=NOON)
        refuses(show, end_time=NOON)
        refuses(show, end_time=NOON - timedelta(hours=1))

    def test_cannot_open_its_doors_after_it_starts(self) -> None:
        show = ShowFactory.create(start_time=NOON)
        refuses(show, doors_time=NOON + timedelta(seconds=1))
        Show.objects.filter(id=show.id).update(doors_time=NOON)

    def test_lets_people_in_from_its_doors_until_its_end(self) -> None:
        hour = timedelta(hours=1)
        assert ShowFactory.build(start_time=NOON).doors_at == NOON - 3 * hour
        assert ShowFactory.build(start_time=NOON, doors_time=NOON - hour).doors_at == NOON - hour
        assert ShowFactory.build(start_time=NOON).over_at == NOON + 6 * hour
        assert ShowFactory.build(start_time=NOON, end_time=NOON + hour).over_at == NOON + hour

    def test_stays_while_it_has_bookings(self) -> None:
        with pytest.raises(IntegrityError):
            show_of(pending_booking()).delete()


class TestBooking:
    def test_has_a_status_that_nobody_assigns(self) -> None:
        with pytest.raises(AttributeError):
            pending_booking().status = BookingStatus.CONFIRMED

    def test_cannot_be_confirmed_twice(self) -> None:
        with pytest.raises(TransitionNotAllowed):
            confirmed_booking().confirm(code="AAAAAAAAAA", payment_id=None, at=NOON)

    def test_is_called_by_its_code_when_it_has_one(self) -> None:
        booking = pending_booking()
        assert str(booking) == str(booking.id)
        booking.confirm(act=Act(at=NOON), code="ABCDEFGH23", payment_id=None)
        assert str(booking) == "ABCDEFGH23"

    def test_has_a_ticket_at_least(self) -> None:
        refuses(pending_booking(), number_of_tickets=0)

    def test_is_not_confirmed_at_a_time_while_pending(self) -> None:
        refuses(pending_booking(), confirmed_at=NOON)

    def test_holds_no_more_seats_than_it_has(self) -> None:
        refuses(pending_booking(seats=2), seats_held=3)
        refuses(pending_booking(seats=2), seats_held=-1)

    def test_pays_back_no_less_than_nothing(self) -> None:
        refuses(pending_booking(), refund_amount=Decimal("-0.01"))

    def test_is_of_a_show_or_of_a_resource(self) -> None:
        of_show, of_room = pending_booking(), book(room(), 1, 2)
        refuses(of_show, show=None)
        refuses(of_show, resource=of_room.resource)
        refuses(of_room, resource=None)
        refuses(of_room, show=of_show.show)

    def test_has_a_resource_for_a_time_and_no_seats(self) -> None:
        booking = book(room(), 1, 2)
        refuses(booking, end_time=booking.start_time)
        refuses(booking, end_time=None)
        refuses(booking, seats_held=1)

    def test_overlaps_no_other_of_its_resource(self) -> None:
        place = room()
        book(place, 1, 2)
        second = book(place, 2, 3)
        refuses(second, start_time=after(1.5))
        refuses(second, start_time=after(0), end_time=after(9))
        Booking.objects.filter(id=second.id).update(start_time=after(2.5))

    def test_is_over_at_its_end(self) -> None:
        assert book(room(), 1, 2).over_at == after(2)
        assert Booking(start_time=NOON).over_at == NOON + timedelta(hours=6)

    @pytest.mark.parametrize("field", ["payment_id", "confirmation_code"])
    def test_shares_neither_payment_nor_code(self, field: str) -> None:
        Booking.objects.filter(id=pending_booking().id).update(**{field: "1"})
        refuses(pending_booking(), **{field: "1"})


class TestTicket:
    def test_has_a_status_that_nobody_assigns(self) -> None:
        with pytest.raises(AttributeError):
            only_ticket(confirmed_booking(seats=1)).status = BookingStatus.CANCELLED

    def test_is_called_by_its_code(self) -> None:
        ticket = only_ticket(confirmed_booking(seats=1))
        assert str(ticket) == ticket.redemption_code

    def test_shares_its_code_with_none(self) -> None:
        first, second = Ticket.objects.filter(booking=confirmed_booking(seats=2))
        refuses(second, redemption_code=first.redemption_code)

    def test_has_the_show_s_price(self) -> None:
        ticket = Ticket.of(pending_booking(seats=3))
        assert ticket.price == Money(amount=Decimal("10.00"), currency="EUR")


class TestResource:
    def test_is_called_by_its_name(self) -> None:
        assert str(room(name="Blue room")) == "Blue room"

    def test_stays_while_it_is_booked(self) -> None:
        place = room()
        book(place, 1, 2)
        with pytest.raises(IntegrityError):
            place.delete()


class TestOpeningHours:
    def test_are_called_by_day_and_times(self) -> None:
        hours = OpeningHours(weekday=5, opens=time(9), closes=time(0))
        assert str(hours) == "saturday 09:00-00:00"

    def test_close_after_they_open(self) -> None:
        [hours] = room(hours=[(5, time(9), time(18))]).opening_hours.all()
        refuses(hours, closes=time(9))
        refuses(hours, closes=time(8))
        OpeningHours.objects.filter(pk=hours.pk).update(closes=time(0))

    def test_are_of_a_day_of_the_week(self) -> None:
        [hours] = room(hours=[(5, time(9), time(18))]).opening_hours.all()
        refuses(hours, weekday=7)

    def test_open_once_at_a_time(self) -> None:
        _, second = room(hours=[(5, time(9), time(12)), (5, time(14), time(18))]).opening_hours.all()
        refuses(second, opens=time(9))

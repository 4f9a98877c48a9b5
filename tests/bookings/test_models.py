"""What the database and the declared transitions refuse, whatever the code asks."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_fsm import TransitionNotAllowed

from bookings.models import Booking, BookingStatus, Ticket, TicketType
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

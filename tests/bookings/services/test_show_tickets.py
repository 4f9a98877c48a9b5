"""Seats of a show booked in one go: once, whatever is repeated, and never one too many."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError
from django.db.models import QuerySet

from bookings.errors import BookingIdTaken, NotEnoughTickets, ShowHasStarted, ShowMakesNoTickets
from bookings.models import Booking, Show, Ticket, TicketType
from bookings.services import booking as booking_service
from bookings.services import cancel_booking, complete_booking
from tests.bookings.meeting import hold_seats_as_read, meeting_before_saving
from tests.bookings.published import names, payloads
from tests.bookings.rooms import book, room
from tests.bookings.show_tickets import (
    BOOKING,
    CLIENTS,
    MADE,
    SEATS,
    hear_of,
    held,
    show,
    show_without_tickets,
    take,
    vendor_show,
)
from tests.bookings.threads import at_once
from tests.bookings.traces import entries, leaving_nothing, refusing_inserts
from tests.factories import NOON, TicketTypeFactory, pending_booking, staff_act
from tickets_project.notifications.models import Notification


@pytest.mark.django_db
class TestBookShowTickets:
    def test_books_and_confirms_at_once(self, ada: User) -> None:
        booking = take(show(), owner=ada)
        booking.refresh_from_db()
        assert (booking.id, booking.status, booking.owner) == (BOOKING, "confirmed", ada)
        assert (booking.confirmed_at, booking.payment_id, len(booking.confirmation_code or "")) == (NOON, None, 10)
        assert (booking.seats_held, held(Show.objects.get())) == (3, 3)
        assert booking.tickets.count() == 3

    def test_vouches_for_the_price(self) -> None:
        booking = take(show(price_amount=Decimal("50.30")))
        assert booking.paid == booking.price_amount == Decimal("150.90")

    def test_tells_of_each_step_and_each_ticket(self, ada: User) -> None:
        booking = take(show(), owner=ada)
        of_tickets = ["ticket.created", "TicketBookingConfirmed_v1"] * 3
        assert names() == [*MADE, "booking.confirmed", *of_tickets, "SendNotification"]
        told = {message["ticket_id"]: message for message in payloads("TicketBookingConfirmed_v1")}
        for ticket in booking.tickets.all():
            assert told[str(ticket.id)] == {
                "ticket_id": str(ticket.id),
                "customer_email": "ada@customers.example",
                "price": {"amount": "10.00", "currency": "EUR"},
                "booking_id": str(BOOKING),
            }

    def test_sends_the_confirmation_with_its_codes(self, ada: User) -> None:
        booking = take(show(), owner=ada)
        mail = Notification.objects.get()
        assert (mail.template, mail.recipient, mail.email) == ("booking_confirmed", ada, "ada@customers.example")
        assert mail.context["confirmation_code"] == booking.confirmation_code
        assert len(mail.context["activation_codes"]) == mail.context["tickets_count"] == 3

    def test_is_on_record_as_a_bundle_s(self) -> None:
        take(show())
        [created], [confirmed] = entries("booking_created"), entries("booking_confirmed")
        assert (created.by, created.old, created.new) == ("vip bundles", "", "pending")
        assert (confirmed.by, confirmed.old, confirmed.new) == ("vip bundles", "pending", "confirmed")

    def test_activates_tickets_whose_type_says_so(self) -> None:
        at_once = TicketTypeFactory.create(name="open", activation="on_confirmation")
        booking = take(show(ticket_type=at_once))
        assert set(booking.tickets.values_list("status", flat=True)) == {"active"}
        assert len(payloads("ticket.activated")) == len(payloads("TicketBookingConfirmed_v1")) == 3

    def test_takes_the_last_seats(self) -> None:
        assert take(show(number_of_tickets=3)).status == "confirmed"

    @pytest.mark.parametrize("makes_tickets", [True, False])
    def test_leaves_a_vendor_s_show_pending(self, makes_tickets: bool) -> None:  # noqa: FBT001
        """The vendor's tickets exist whether or not the type makes some by itself."""
        kind = TicketTypeFactory.create(name="theirs", makes_tickets=makes_tickets)
        booking = take(vendor_show(ticket_type=kind))
        assert (booking.status, booking.seats_held, booking.tickets.count()) == ("pending", 3, 0)
        assert names() == MADE


def fill_up(booking: Booking) -> None:
    pending_booking(show=booking.show, seats=7, at=NOON)


def lock_out(_: Booking) -> None:
    Show.objects.update(start_time=NOON - timedelta(days=1))


def stop_making_tickets(_: Booking) -> None:
    TicketType.objects.update(makes_tickets=False)


def cancel(booking: Booking) -> None:
    cancel_booking(booking_id=booking.id, act=staff_act(at=NOON))


def complete(booking: Booking) -> None:
    complete_booking(booking_id=booking.id, act=staff_act(at=NOON))


def nothing(_: Booking) -> None:
    """Let nothing happen."""


@pytest.mark.django_db
class TestBookShowTicketsAgain:
    @pytest.mark.parametrize("happens", [nothing, fill_up, lock_out, stop_making_tickets, cancel, complete])
    def test_changes_nothing_whatever_has_happened_meanwhile(self, happens: Callable[[Booking], None]) -> None:
        place = show()
        happens(take(place))
        before = Booking.objects.get(id=BOOKING)
        with leaving_nothing():
            again = take(place)
        assert (again, again.status) == (before, before.status)

    @pytest.mark.parametrize("happens", [nothing, fill_up, lock_out, hear_of, cancel])
    def test_leaves_a_vendor_s_booking_to_the_vendor(self, happens: Callable[[Booking], None]) -> None:
        place = vendor_show()
        happens(take(place))
        with leaving_nothing():
            take(place)

    def test_never_brings_a_cancelled_booking_back(self) -> None:
        place = show()
        cancel(take(place))
        assert take(place).status == "cancelled"
        assert (held(place), set(Ticket.objects.values_list("status", flat=True))) == (0, {"cancelled"})


@pytest.mark.django_db
class TestBookShowTicketsRefused:
    @pytest.mark.parametrize(
        ("place", "refusal"),
        [
            (partial(show, number_of_tickets=2), NotEnoughTickets),
            (partial(vendor_show, number_of_tickets=2), NotEnoughTickets),
            (partial(show, start_time=NOON), ShowHasStarted),
            (show_without_tickets, ShowMakesNoTickets),
            (uuid4, Show.DoesNotExist),
        ],
    )
    def test_leaves_no_trace(self, place: Callable[[], Any], refusal: type[Exception]) -> None:
        there = place()
        with leaving_nothing(), pytest.raises(refusal):
            take(there)

    def test_leaves_the_booking_of_another_show(self) -> None:
        pending_booking(booking_id=BOOKING, at=NOON)
        place = show()
        with leaving_nothing(), pytest.raises(BookingIdTaken):
            take(place)

    def test_leaves_the_booking_of_a_room(self) -> None:
        taken = book(room(), 1, 2)
        place = show()
        with leaving_nothing(), pytest.raises(BookingIdTaken):
            take(place, booking_id=taken.id)

    @pytest.mark.parametrize("table", ["bookings_booking", "bookings_ticket", "outbox_delivery"])
    def test_leaves_no_trace_when_the_database_breaks_down(self, table: str) -> None:
        place = show()
        with leaving_nothing(), refusing_inserts(table), pytest.raises(DatabaseError, match="broken"):
            take(place)
        assert held(place) == 0


def answered(task: Callable[[], Booking]) -> Booking | DatabaseError:
    try:
        return task()
    except DatabaseError as error:
        return error


@pytest.mark.django_db(transaction=True)
class TestBookShowTicketsConcurrency:
    def test_overbooks_when_neither_lock_nor_room_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next test would fail without both."""
        monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
        monkeypatch.setattr(booking_service, "_hold_seats", hold_seats_as_read)
        place = show(number_of_tickets=SEATS)
        with meeting_before_saving(Booking, CLIENTS, only_new=True):
            at_once([partial(take, place, booking_id=uuid4(), number_of_tickets=1) for _ in range(CLIENTS)])
        assert Booking.objects.count() == Ticket.objects.count() == CLIENTS > SEATS

    def test_never_overbooks(self) -> None:
        place = show(number_of_tickets=SEATS)
        answers = at_once([partial(take, place, booking_id=uuid4(), number_of_tickets=1) for _ in range(CLIENTS)])
        assert sum(isinstance(answer, NotEnoughTickets) for answer in answers) == CLIENTS - SEATS
        assert Booking.objects.filter(status="confirmed").count() == Ticket.objects.count() == held(place) == SEATS
        assert len(payloads("BookingMade_v1")) == len(payloads("TicketBookingConfirmed_v1")) == SEATS

    def test_breaks_down_over_the_same_booking_with_the_lock_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the two of the next test meet: without the lock nothing but the key keeps them apart."""
        monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
        place = show()
        with meeting_before_saving(Booking, 2, only_new=True):
            answers = at_once([partial(answered, partial(take, place))] * 2)
        assert [type(answer) for answer in answers if not isinstance(answer, Booking)] == [IntegrityError]

    def test_books_the_same_booking_once(self) -> None:
        place = show(number_of_tickets=3)
        answers = at_once([partial(take, place)] * 10)
        assert {getattr(answer, "status", answer) for answer in answers} == {"confirmed"}
        assert (Booking.objects.count(), held(place), Ticket.objects.count()) == (1, 3, 3)
        counts = [len(payloads(name)) for name in (*MADE, "booking.confirmed", "SendNotification")]
        assert (counts, len(payloads("TicketBookingConfirmed_v1"))) == ([1, 1, 1, 1], 3)

"""The use cases of bookings: what each stores, publishes and refuses."""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError
from django.utils import timezone

from bookings.errors import (
    BookingIdTaken,
    BookingNotPending,
    NotEnoughTickets,
    PaymentAlreadyUsed,
    PaymentRequired,
    ShowHasStarted,
    UnknownTicketType,
)
from bookings.models import Booking, BookingStatus, Show, Ticket, TicketStatus, TicketType
from bookings.services import confirm_booking, make_booking, make_show, record_printed
from tests.bookings.published import names, payload, payloads
from tests.bookings.threads import at_once
from tests.factories import (
    NOON,
    ShowFactory,
    StaffFactory,
    TicketTypeFactory,
    UserFactory,
    confirmed_booking,
    only_ticket,
    pending_booking,
    show_of,
)
from tickets_project.audit.acts import Act
from tickets_project.outbox.models import Message
from tickets_project.outbox.publishing import UndeclaredMessage
from tickets_project.outbox.subscriptions import Subscriptions
from tickets_project.values import Money

CODE = "[2-9A-HJKMNP-TV-Z]"


def show(**fields: Any) -> Show:
    made: Show = ShowFactory.create(**{"start_time": NOON + timedelta(days=1)} | fields)
    return made


def make(show: Show, **facts: Any) -> Booking:
    defaults: dict[str, Any] = {
        "booking_id": uuid4(),
        "show_id": show.id,
        "number_of_tickets": 2,
        "customer_email": "ada@customers.example",
        "owner": None,
        "act": Act(at=facts.pop("at", NOON)),
    }
    return make_booking(**defaults | facts)


def confirm(booking: Booking, **facts: Any) -> Booking:
    defaults: dict[str, Any] = {
        "booking_id": booking.id,
        "act": Act(at=NOON, actor=booking.owner),
        "payment_id": f"pay-{booking.id}",
    }
    return confirm_booking(**defaults | facts)


def assert_no_trace(show: Show) -> None:
    show.refresh_from_db()
    assert show.seats_held == 0
    assert not Booking.objects.exists()
    assert names() == []


@pytest.mark.django_db
class TestMakeShow:
    def make(self, **fields: Any) -> Show:
        price = Money(amount=Decimal("49.50"), currency="EUR")
        place: dict[str, Any] = {"title": "Nabucco", "venue": "Arena", "start_time": NOON, "number_of_tickets": 3}
        return make_show(act=Act(at=NOON), price=price, **place | fields)

    def test_stores_it(self) -> None:
        made = Show.objects.get(id=self.make(end_time=NOON + timedelta(hours=2), dead_nation_id=UUID(int=1)).id)
        assert (made.title, made.venue, made.start_time) == ("Nabucco", "Arena", NOON)
        assert (made.price, made.seats_left) == (Money(amount=Decimal("49.50"), currency="EUR"), 3)
        assert (made.end_time, made.dead_nation_id) == (NOON + timedelta(hours=2), UUID(int=1))

    def test_makes_the_standard_ticket_type_once(self) -> None:
        assert self.make().ticket_type == self.make().ticket_type == TicketType.objects.get(name="standard")

    def test_takes_another_ticket_type(self) -> None:
        vip = TicketTypeFactory.create(name="vip")
        assert self.make(ticket_type="vip").ticket_type == vip

    def test_refuses_an_unknown_ticket_type(self) -> None:
        with pytest.raises(UnknownTicketType, match="There is no ticket type 'vip'"):
            self.make(ticket_type="vip")
        assert not Show.objects.exists()


@pytest.mark.django_db
class TestMakeBooking:
    def test_holds_seats(self) -> None:
        made = make(show(number_of_tickets=10), number_of_tickets=3)
        stored = Booking.objects.get()
        assert (stored.id, stored.status, stored.number_of_tickets) == (made.id, BookingStatus.PENDING, 3)
        assert (stored.seats_held, show_of(stored).seats_held, show_of(stored).seats_left) == (3, 3, 7)
        assert (stored.created_at, stored.confirmed_at, stored.confirmation_code) == (NOON, None, None)

    def test_prices_all_tickets(self) -> None:
        made = make(show(price_amount=Decimal("0.10"), price_currency="CHF"), number_of_tickets=3)
        assert made.price == Money(amount=Decimal("0.30"), currency="CHF")

    def test_can_price_the_dearest_booking(self) -> None:
        big = show(price_amount=Decimal("99999999.99"), number_of_tickets=1000)
        assert make(big, number_of_tickets=1000).price_amount == Decimal("99999999990.00")

    def test_announces_it(self) -> None:
        ada = UserFactory.create()
        place = show(end_time=NOON + timedelta(days=1, hours=2))
        made = make(place, owner=ada)
        assert names() == ["booking.created", "BookingMade_v1"]
        assert payload("booking.created") == {
            "booking_id": str(made.id),
            "user_id": ada.pk,
            "resource_type": "show",
            "resource_id": str(place.id),
            "start_time": "2026-05-03T12:00:00Z",
            "end_time": "2026-05-03T14:00:00Z",
            "price": "20.00",
            "currency": "EUR",
        }
        assert payload("BookingMade_v1") == {
            "booking_id": str(made.id),
            "number_of_tickets": 2,
            "customer_email": "ada@customers.example",
            "show_id": str(place.id),
        }

    def test_announces_null_for_a_customer_without_an_account(self) -> None:
        make(show())
        announced = payload("booking.created")
        assert (announced["user_id"], announced["end_time"]) == (None, None)

    def test_files_its_messages_under_the_booking(self) -> None:
        made = make(show())
        assert {(row.aggregatetype, row.aggregateid) for row in Message.objects.all()} == {("booking", str(made.id))}

    def test_holds_the_same_booking_once(self) -> None:
        place = show()
        first, second = (make(place, booking_id=UUID(int=1)) for _ in range(2))
        assert first == second
        place.refresh_from_db()
        assert place.seats_held == 2
        assert names() == ["booking.created", "BookingMade_v1"]

    def test_repeats_for_a_show_that_is_full_or_over_by_now(self) -> None:
        place = show(number_of_tickets=2)
        first = make(place, booking_id=UUID(int=1))
        assert make(place, booking_id=UUID(int=1)) == first
        assert make(place, booking_id=UUID(int=1), at=NOON + timedelta(days=9)) == first

    def test_refuses_an_id_that_another_show_s_booking_has(self) -> None:
        make(show(), booking_id=UUID(int=1))
        other = show()
        with pytest.raises(BookingIdTaken):
            make(other, booking_id=UUID(int=1))
        other.refresh_from_db()
        assert other.seats_held == 0
        assert Booking.objects.count() == 1

    def test_takes_the_last_seats(self) -> None:
        assert show_of(make(show(number_of_tickets=2))).seats_left == 0

    def test_leaves_no_trace_when_there_are_too_few_seats(self) -> None:
        place = show(number_of_tickets=1)
        with pytest.raises(NotEnoughTickets) as refusal:
            make(place)
        assert refusal.value.extensions == {"seats_left": 1}
        assert_no_trace(place)

    @pytest.mark.parametrize("late", [timedelta(0), timedelta(days=1)])
    def test_leaves_no_trace_when_the_show_has_started(self, late: timedelta) -> None:
        place = show(start_time=NOON)
        with pytest.raises(ShowHasStarted):
            make(place, at=NOON + late)
        assert_no_trace(place)

    @pytest.mark.parametrize("seats", [0, -1])
    def test_leaves_no_trace_of_no_tickets(self, seats: int) -> None:
        place = show()
        with pytest.raises(IntegrityError):
            make(place, number_of_tickets=seats)
        assert_no_trace(place)

    def test_leaves_no_trace_when_it_cannot_be_announced(self, table: Callable[[Subscriptions], None]) -> None:
        table(Subscriptions(declared_in=()))
        place = show()
        with pytest.raises(UndeclaredMessage):
            make(place)
        assert_no_trace(place)

    def test_refuses_an_unknown_show(self) -> None:
        with pytest.raises(Show.DoesNotExist):
            make(show(), show_id=uuid4())


@pytest.mark.django_db
class TestConfirmBooking:
    def test_confirms(self) -> None:
        booking = pending_booking()
        confirm(booking, payment_id="pay-1")
        stored = Booking.objects.get()
        assert (stored.status, stored.payment_id, stored.confirmed_at) == (BookingStatus.CONFIRMED, "pay-1", NOON)
        assert re.fullmatch(f"{CODE}{{10}}", stored.confirmation_code or "")

    def test_makes_as_many_tickets_as_were_booked(self) -> None:
        booking = confirm(pending_booking(seats=3))
        tickets = list(Ticket.objects.filter(booking=booking))
        assert len(tickets) == len({ticket.redemption_code for ticket in tickets}) == 3
        for ticket in tickets:
            assert re.fullmatch(f"{CODE}{{16}}", ticket.redemption_code)
            assert (ticket.status, ticket.customer_email) == (TicketStatus.PENDING, booking.customer_email)
            assert (ticket.price, ticket.created_at) == (Money(amount=Decimal("10.00"), currency="EUR"), NOON)
            assert (ticket.printed_at, ticket.file_name) == (None, "")

    def test_announces_the_booking_and_each_ticket(self) -> None:
        booking = pending_booking()
        confirm(booking)
        each = ["ticket.created", "TicketBookingConfirmed_v1"]
        assert names() == ["booking.created", "BookingMade_v1", "booking.confirmed", *each, *each, "SendNotification"]
        booking.refresh_from_db()
        assert payload("booking.confirmed") == {
            "booking_id": str(booking.id),
            "user_id": booking.owner_id,
            "confirmed_at": "2026-05-02T12:00:00Z",
            "confirmation_code": booking.confirmation_code,
            "admin_id": None,
        }
        tickets = {str(ticket.id): ticket for ticket in Ticket.objects.all()}
        assert {told["ticket_id"] for told in payloads("TicketBookingConfirmed_v1")} == set(tickets)
        told = payloads("ticket.created")[0]
        assert told == {
            "ticket_id": told["ticket_id"],
            "user_id": booking.owner_id,
            "booking_id": str(booking.id),
            "ticket_type_id": str(tickets[told["ticket_id"]].ticket_type_id),
            "price": "10.00",
            "currency": "EUR",
        }
        told = payloads("TicketBookingConfirmed_v1")[0]
        assert told == {
            "ticket_id": told["ticket_id"],
            "customer_email": booking.customer_email,
            "price": {"amount": "10.00", "currency": "EUR"},
            "booking_id": str(booking.id),
        }

    def test_names_the_member_of_staff(self) -> None:
        ann = StaffFactory.create()
        booking = confirm(pending_booking(), act=Act(at=NOON, actor=ann, as_staff=True), payment_id=None)
        assert (booking.payment_id, payload("booking.confirmed")["admin_id"]) == (None, ann.pk)

    def test_needs_a_payment_from_its_owner(self) -> None:
        with pytest.raises(PaymentRequired):
            confirm(pending_booking(), payment_id=None)
        self.assert_only_pending()

    def test_needs_none_when_it_is_free(self) -> None:
        booking = confirm(pending_booking(show=ShowFactory.create(price_amount=0)), payment_id=None)
        assert booking.status == BookingStatus.CONFIRMED
        assert payloads("TicketBookingConfirmed_v1")[0]["price"] == {"amount": "0.00", "currency": "EUR"}

    def test_refuses_a_payment_that_confirmed_another(self) -> None:
        confirm(pending_booking(), payment_id="pay-1")
        second = pending_booking()
        with pytest.raises(PaymentAlreadyUsed):
            confirm(second, payment_id="pay-1")
        second.refresh_from_db()
        assert (second.status, second.tickets.count()) == (BookingStatus.PENDING, 0)
        assert len(payloads("booking.confirmed")) == 1

    def test_refuses_a_second_time(self) -> None:
        booking = confirm(pending_booking(seats=1))
        with pytest.raises(BookingNotPending) as refusal:
            confirm(booking, payment_id="pay-2")
        assert refusal.value.extensions == {"current_status": "confirmed"}
        assert (Ticket.objects.count(), len(payloads("booking.confirmed"))) == (1, 1)

    def test_makes_no_tickets_where_the_type_says_so(self) -> None:
        silent = TicketTypeFactory.create(name="list", makes_tickets=False)
        booking = confirm(pending_booking(show=ShowFactory.create(ticket_type=silent)))
        assert booking.status == BookingStatus.CONFIRMED
        assert not Ticket.objects.exists()
        assert names()[2:] == ["booking.confirmed", "SendNotification"]

    def test_leaves_no_trace_when_it_cannot_be_announced(self, table: Callable[[Subscriptions], None]) -> None:
        booking = pending_booking()
        table(Subscriptions(declared_in=()))
        with pytest.raises(UndeclaredMessage):
            confirm(booking)
        self.assert_only_pending()

    def test_does_not_take_a_repeated_code_for_a_payment_used_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        silent = ShowFactory.create(ticket_type=TicketTypeFactory.create(name="list", makes_tickets=False))
        first, second = pending_booking(show=silent), pending_booking(show=silent)
        monkeypatch.setattr(secrets, "choice", lambda letters: letters[0])
        confirm(first)
        with pytest.raises(IntegrityError):
            confirm(second)

    def test_refuses_an_unknown_booking(self) -> None:
        with pytest.raises(Booking.DoesNotExist):
            confirm(pending_booking(), booking_id=uuid4())

    def assert_only_pending(self) -> None:
        assert Booking.objects.get().status == BookingStatus.PENDING
        assert not Ticket.objects.exists()
        assert names() == ["booking.created", "BookingMade_v1"]


@pytest.mark.django_db(transaction=True)
class TestConfirmBookingConcurrency:
    def test_makes_one_set_of_tickets(self) -> None:
        booking = pending_booking(seats=3)
        answers = at_once([partial(confirm, booking)] * 10)
        assert sum(isinstance(answer, Booking) for answer in answers) == 1
        assert sum(isinstance(answer, BookingNotPending) for answer in answers) == 9
        assert (Ticket.objects.count(), len(payloads("TicketBookingConfirmed_v1"))) == (3, 3)

    def test_lets_a_payment_confirm_one_of_two(self) -> None:
        waiting = [pending_booking(seats=1) for _ in range(2)]
        answers = at_once([partial(confirm, booking, payment_id="pay-1") for booking in waiting])
        assert sum(isinstance(answer, PaymentAlreadyUsed) for answer in answers) == 1
        assert Booking.objects.get(status=BookingStatus.CONFIRMED).payment_id == "pay-1"
        assert Ticket.objects.count() == 1


@pytest.mark.django_db
class TestRecordPrinted:
    def test_keeps_the_first_note(self) -> None:
        ticket = only_ticket(confirmed_booking(seats=1))
        for number in (1, 2):
            record_printed(ticket_id=ticket.id, file_name=f"{number}.html", at=NOON + timedelta(minutes=number))
        ticket.refresh_from_db()
        assert (ticket.file_name, ticket.printed_at) == ("1.html", NOON + timedelta(minutes=1))

    def test_leaves_other_tickets_alone(self) -> None:
        record_printed(ticket_id=uuid4(), file_name="1.html", at=timezone.now())
        confirmed_booking(seats=1)
        assert Ticket.objects.get().printed_at is None

"""From when until when a ticket lets its holder in, and when it becomes active."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from bookings.models import Booking, Resource, Ticket, TicketStatus, TicketType
from bookings.services import activate_ticket, book_resource, confirm_booking, expire_ticket, scan
from tests.bookings.tickets import entries, now, unbooked_ticket
from tests.factories import NOON, ShowFactory, TicketTypeFactory, pending_booking
from tickets_project.audit.acts import Act
from tickets_project.notifications.models import Notification

pytestmark = pytest.mark.django_db

HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
BOOKED = NOON - 10 * DAY


@pytest.fixture
def act(ann: User) -> Act:
    """Return what ann does ten days before the show."""
    return Act(at=BOOKED, actor=ann, as_staff=True)


def confirmed(act: Act, *, seats: int = 1, **show: Any) -> Booking:
    """Return a confirmed booking of a show at noon."""
    booking = pending_booking(at=BOOKED, seats=seats, show=ShowFactory.create(**{"start_time": NOON} | show))
    return confirm_booking(booking_id=booking.id, act=act, payment_id=None)


def activated(act: Act, **show: Any) -> Ticket:
    return activate(Ticket.objects.get(booking=confirmed(act, **show)), act)


def activate(ticket: Ticket, act: Act) -> Ticket:
    activate_ticket(ticket_id=ticket.id, act=act, code=None)
    return now(ticket)


def outcome(ticket: Ticket, act: Act, at: datetime) -> str:
    """Return what a scan at that time comes to."""
    return scan(code=ticket.redemption_code, act=Act(at=at, actor=act.actor), location="", nonce=None).outcome


class TestValidity:
    def test_begins_three_hours_before_and_ends_six_hours_after_the_start(self, act: Act) -> None:
        ticket = activated(act)
        assert (ticket.valid_from, ticket.valid_until) == (NOON - 3 * HOUR, NOON + 6 * HOUR)

    def test_begins_at_the_doors_and_ends_with_the_show(self, act: Act) -> None:
        ticket = activated(act, doors_time=NOON - HOUR, end_time=NOON + 2 * HOUR)
        assert (ticket.valid_from, ticket.valid_until) == (NOON - HOUR, NOON + 2 * HOUR)

    @pytest.mark.parametrize("days", [1, 365])
    def test_lasts_for_the_type_s_days_from_its_activation(self, act: Act, days: int) -> None:
        kind = TicketTypeFactory.create(name="pass", valid_days=days)
        ticket = activated(act, ticket_type=kind)
        assert (ticket.valid_from, ticket.valid_until) == (BOOKED, BOOKED + days * DAY)

    def test_is_a_booked_slot_for_a_resource(self, act: Act) -> None:
        ticket = activate(resource_ticket(act), act)
        assert (ticket.valid_from, ticket.valid_until) == (NOON, NOON + 2 * HOUR)

    def test_has_no_end_for_a_ticket_whose_booking_nobody_knows(self, act: Act) -> None:
        ticket = activate(unbooked_ticket(), act)
        assert (ticket.valid_from, ticket.valid_until) == (BOOKED, None)
        assert outcome(ticket, act, NOON + 3650 * DAY) == "redeemed"

    def test_lasts_for_the_days_of_a_ticket_whose_booking_nobody_knows(self, act: Act) -> None:
        week = TicketTypeFactory.create(name="week", valid_days=7)
        assert activate(unbooked_ticket(ticket_type=week), act).valid_until == BOOKED + 7 * DAY

    def test_is_unknown_before_the_activation(self, act: Act) -> None:
        ticket = Ticket.objects.get(booking=confirmed(act))
        assert (ticket.valid_from, ticket.valid_until) == (None, None)


class TestScan:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (NOON - 3 * HOUR - MOMENT, "not_yet_valid"),
            (NOON - 3 * HOUR, "redeemed"),
            (NOON + 6 * HOUR - MOMENT, "redeemed"),
            (NOON + 6 * HOUR, "expired"),
        ],
    )
    def test_holds_the_validity_to_the_moment(self, act: Act, at: datetime, expected: str) -> None:
        ticket = activated(act)
        assert outcome(ticket, act, at) == expected

    @pytest.mark.parametrize(("late", "expected"), [(DAY - MOMENT, "redeemed"), (DAY, "expired")])
    def test_holds_the_type_s_days_to_the_moment(self, act: Act, late: timedelta, expected: str) -> None:
        ticket = activated(act, ticket_type=TicketTypeFactory.create(name="day", valid_days=1))
        assert outcome(ticket, act, BOOKED + late) == expected


class TestExpireTicket:
    @pytest.mark.parametrize(("at", "status"), [(NOON + 6 * HOUR - MOMENT, "active"), (NOON + 6 * HOUR, "expired")])
    def test_expires_at_the_end(self, act: Act, at: datetime, status: str) -> None:
        ticket = activated(act)
        expired = expire_ticket(ticket_id=ticket.id, act=Act(at=at, automatic="schedule"))
        assert expired.status == now(ticket).status == status

    def test_says_who_expired_it(self, act: Act) -> None:
        ticket = activated(act)
        expire_ticket(ticket_id=ticket.id, act=Act(at=NOON + DAY, automatic="schedule"))
        entry = entries(ticket)[-1]
        assert (entry.action, entry.old, entry.new) == ("ticket_expired", "active", "expired")
        assert (entry.actor, entry.by) == (None, "schedule")
        assert now(ticket).expired_at == NOON + DAY

    def test_leaves_a_pending_ticket_as_it_is(self, act: Act) -> None:
        ticket = Ticket.objects.get(booking=confirmed(act))
        assert expire_ticket(ticket_id=ticket.id, act=Act(at=NOON + DAY)).status == "pending"


class TestConfirmBooking:
    @pytest.fixture
    def at_once(self) -> TicketType:
        kind: TicketType = TicketTypeFactory.create(name="at once", activation="on_confirmation")
        return kind

    def test_activates_tickets_of_such_a_type(self, act: Act, at_once: TicketType) -> None:
        tickets = Ticket.objects.filter(booking=confirmed(act, seats=2, ticket_type=at_once))
        assert [ticket.status for ticket in tickets] == [TicketStatus.ACTIVE] * 2
        for ticket in tickets:
            assert (ticket.activated_at, len(ticket.activation_code)) == (BOOKED, 8)
            assert (ticket.valid_from, ticket.valid_until) == (NOON - 3 * HOUR, NOON + 6 * HOUR)
            assert outcome(ticket, act, NOON) == "redeemed"

    def test_tells_of_each_that_it_is_active(self, act: Act, at_once: TicketType) -> None:
        booking = confirmed(act, seats=2, ticket_type=at_once)
        told = Notification.objects.filter(template="ticket_activated")
        assert {mail.context["ticket_id"] for mail in told} == {str(ticket.id) for ticket in booking.tickets.all()}
        for mail in told:
            assert (mail.recipient, mail.email) == (booking.owner, booking.customer_email)
        assert Notification.objects.get(template="booking_confirmed").context["activation_codes"] == []

    def test_leaves_each_activation_in_the_audit_trail(self, act: Act, at_once: TicketType) -> None:
        for ticket in Ticket.objects.filter(booking=confirmed(act, seats=2, ticket_type=at_once)):
            [entry] = entries(ticket)
            assert (entry.action, entry.old, entry.new) == ("ticket_activated", "pending", "active")
            assert entry.actor == act.actor
            assert entry.details == {"activation_code": ticket.activation_code, "ticket_type": "at once"}

    def test_lets_others_wait_for_their_codes(self, act: Act) -> None:
        booking = confirmed(act, seats=2)
        tickets = {str(ticket.id): ticket for ticket in booking.tickets.all()}
        assert {ticket.status for ticket in tickets.values()} == {TicketStatus.PENDING}
        sent = Notification.objects.get(template="booking_confirmed").context["activation_codes"]
        assert {row["ticket_id"]: row["activation_code"] for row in sent} == {
            key: ticket.activation_code for key, ticket in tickets.items()
        }
        assert len({ticket.activation_code for ticket in tickets.values()} - {""}) == 2


def resource_ticket(act: Act) -> Ticket:
    """Return the ticket of a room that is booked from noon for two hours."""
    room = Resource.objects.create(
        type="room",
        name="Studio",
        price_amount=Decimal("5.00"),
        price_currency="EUR",
        ticket_type=TicketTypeFactory.create(name="key"),
    )
    for weekday in range(7):
        room.opening_hours.create(weekday=weekday, opens="00:00", closes="00:00")
    booking = book_resource(
        booking_id=uuid4(),
        resource_id=room.id,
        start_time=NOON,
        end_time=NOON + 2 * HOUR,
        customer_email="ada@customers.example",
        owner=None,
        act=act,
    )
    confirm_booking(booking_id=booking.id, act=act, payment_id=None)
    return Ticket.objects.get(booking=booking)

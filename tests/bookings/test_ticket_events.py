"""The seven events of a ticket's life: what each says, and that nothing else publishes it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User

from bookings.events import of_tickets
from bookings.models import Booking, Ticket
from bookings.services import (
    activate_ticket,
    cancel_booking,
    confirm_booking,
    expire_ticket,
    record_printed,
    request_refund,
    scan,
    undo_scan,
)
from bookings.signals import ticket_activation_requested, ticket_redemption_requested
from tests.bookings.published import names, payload, payloads
from tests.bookings.tickets import unbooked_ticket
from tests.factories import NOON, ShowFactory, StaffFactory, pending_booking
from tickets_project.audit.acts import Act
from tickets_project.event_result import ask
from tickets_project.outbox.messages import Event
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db

DOORS, START, END = NOON - timedelta(hours=3), NOON, NOON + timedelta(hours=6)
BOOKED = NOON - timedelta(days=2)
ASKED = "ticket.redemption_requested"


@pytest.fixture
def booking(ada: User) -> Booking:
    """Return two seats of a show at noon, pending."""
    return pending_booking(owner=ada, at=BOOKED, show=ShowFactory.create(start_time=NOON))


@pytest.fixture
def ticket(booking: Booking, ann: User) -> Ticket:
    confirm_booking(booking_id=booking.id, act=by(ann, BOOKED), payment_id=None)
    first: Ticket = Ticket.objects.order_by("id")[0]
    return first


def by(person: User, at: datetime, **facts: Any) -> Act:
    return Act(at=at, actor=person, as_staff=person.is_staff, **facts)


def activate(ticket: Ticket, person: User, at: datetime = BOOKED) -> None:
    activate_ticket(ticket_id=ticket.id, act=by(person, at), code=ticket.activation_code)


def redeem(ticket: Ticket, person: User, at: datetime = START, location: str = "") -> Any:
    return scan(code=ticket.redemption_code, act=by(person, at), location=location, nonce=None)


def undo_latest(ticket: Ticket, person: User) -> None:
    entered = ticket.scans.filter(outcome="redeemed", undone_at=None).latest("scanned_at")
    undo_scan(scan_id=entered.id, act=by(person, START))


def published_by(step: Callable[[], object]) -> list[str]:
    """Return the names of the ticket's events that a step publishes."""
    before = len(names())
    step()
    return [name for name in names()[before:] if name.startswith("ticket.")]


class TestTicketCreated:
    def test_says_what_was_made(self, booking: Booking, ada: User, ann: User) -> None:
        confirm_booking(booking_id=booking.id, act=by(ann, BOOKED), payment_id=None)
        tickets = Ticket.objects.all()
        assert sorted(payloads("ticket.created"), key=str) == sorted(
            (
                {
                    "ticket_id": str(ticket.id),
                    "user_id": ada.pk,
                    "booking_id": str(booking.id),
                    "ticket_type_id": str(ticket.ticket_type_id),
                    "price": "10.00",
                    "currency": "EUR",
                }
                for ticket in tickets
            ),
            key=str,
        )


class TestTicketActivationRequested:
    def test_says_who_asked_with_which_code(self, ticket: Ticket, ada: User, ann: User) -> None:
        for person in (ada, ann):
            ask(ticket_activation_requested, ticket=ticket, act=by(person, BOOKED), activation_code="WRONG")
        asked = {"ticket_id": str(ticket.id), "user_id": ada.pk, "activation_code": "WRONG"}
        assert payloads("ticket.activation_requested") == [asked | {"admin_id": None}, asked | {"admin_id": ann.pk}]


class TestTicketActivated:
    def test_says_until_when_it_is_valid(self, ticket: Ticket, ada: User) -> None:
        activate(ticket, ada)
        assert payload("ticket.activated") == {
            "ticket_id": str(ticket.id),
            "user_id": ada.pk,
            "ticket_type": "standard",
            "activated_at": "2026-04-30T12:00:00Z",
            "valid_until": "2026-05-02T18:00:00Z",
            "admin_id": None,
        }

    def test_says_which_member_of_staff_did_it(self, ann: User) -> None:
        activate(unbooked_ticket(), ann)
        told = payload("ticket.activated")
        assert (told["user_id"], told["valid_until"], told["admin_id"]) == (None, None, ann.pk)


class TestTicketRedemptionRequested:
    def test_says_what_was_scanned_where(self, ticket: Ticket, ada: User, ann: User) -> None:
        for code in (ticket.redemption_code, "ABC"):
            facts = {"redemption_code": code, "location": "North door", "nonce": None}
            ask(ticket_redemption_requested, act=by(ann, START), **facts)
        known, unknown = payloads("ticket.redemption_requested")
        scanned = {"redemption_code": ticket.redemption_code, "location": "North door"}
        assert known == {"ticket_id": str(ticket.id), "user_id": ada.pk, **scanned}
        assert unknown == {"ticket_id": None, "user_id": None, "redemption_code": "ABC", "location": "North door"}
        filed = Message.objects.filter(type="ticket.redemption_requested").order_by("sequence")
        assert [(row.aggregatetype, row.aggregateid) for row in filed] == [
            ("ticket", str(ticket.id)),
            ("ticket", "ABC"),
        ]


class TestTicketRedeemed:
    @pytest.mark.parametrize(("location", "told"), [("North door", "North door"), ("", None)])
    def test_says_when_where_and_by_whom(
        self, ticket: Ticket, ada: User, ann: User, location: str, told: str | None
    ) -> None:
        activate(ticket, ada)
        redeem(ticket, ann, location=location)
        assert payload("ticket.redeemed") == {
            "ticket_id": str(ticket.id),
            "user_id": ada.pk,
            "redeemed_at": "2026-05-02T12:00:00Z",
            "redeemed_by": ann.pk,
            "location": told,
        }


class TestTicketCancelled:
    def test_says_what_is_paid_back_for_it_alone(self, ticket: Ticket, ada: User) -> None:
        request_refund(ticket_id=ticket.id, act=by(ada, START - timedelta(hours=7), reason="I am ill."))
        assert payload("ticket.cancelled") == {
            "ticket_id": str(ticket.id),
            "user_id": ada.pk,
            "cancelled_at": "2026-05-02T05:00:00Z",
            "reason": "I am ill.",
            "refund_amount": "5.00",
            "admin_id": None,
        }

    def test_leaves_what_is_paid_back_to_the_booking(self, ticket: Ticket, ada: User, ann: User) -> None:
        cancel_booking(booking_id=ticket.booking_id or ticket.id, act=by(ann, BOOKED), refund_amount=Decimal("1.00"))
        first, second = payloads("ticket.cancelled")
        assert {first["ticket_id"], second["ticket_id"]} == {str(row.id) for row in Ticket.objects.all()}
        assert first | {"ticket_id": ""} == {
            "ticket_id": "",
            "user_id": ada.pk,
            "cancelled_at": "2026-04-30T12:00:00Z",
            "reason": None,
            "refund_amount": None,
            "admin_id": ann.pk,
        }


class TestTicketExpired:
    def test_says_when(self, ticket: Ticket, ada: User) -> None:
        activate(ticket, ada)
        expire_ticket(ticket_id=ticket.id, act=Act(at=END, automatic="schedule"))
        assert payload("ticket.expired") == {
            "ticket_id": str(ticket.id),
            "user_id": ada.pk,
            "expired_at": "2026-05-02T18:00:00Z",
        }


class TestTicketEvents:
    def test_are_seven(self) -> None:
        declared = [kind for kind in vars(of_tickets).values() if isinstance(kind, type) and issubclass(kind, Event)]
        assert {kind.NAME for kind in declared if kind is not Event} == {
            "ticket.created",
            "ticket.activation_requested",
            "ticket.activated",
            "ticket.redemption_requested",
            "ticket.redeemed",
            "ticket.cancelled",
            "ticket.expired",
        }

    def test_are_filed_under_their_ticket(self, ticket: Ticket, ada: User, ann: User) -> None:
        activate(ticket, ada)
        redeem(ticket, ann)
        messages = Message.objects.filter(type__startswith="ticket.")
        about = [(message.type, message.aggregatetype, message.aggregateid) for message in messages]
        assert ("ticket.redeemed", "ticket", str(ticket.id)) in about
        assert about == [(message.type, "ticket", message.payload["ticket_id"]) for message in messages]

    def test_are_two_for_two_new_tickets(self, booking: Booking, ann: User) -> None:
        step = partial(confirm_booking, booking_id=booking.id, act=by(ann, BOOKED), payment_id=None)
        assert published_by(step) == ["ticket.created", "ticket.created"]

    def test_come_with_their_transition_alone(self, ticket: Ticket, ada: User, ann: User) -> None:
        assert ticket.booking is not None
        steps: list[tuple[Callable[[], object], list[str]]] = [
            (partial(record_printed, ticket_id=ticket.id, file_name="a.html", at=BOOKED), []),
            (partial(redeem, ticket, ann), [ASKED]),
            (partial(activate, ticket, ada), ["ticket.activated"]),
            (partial(redeem, ticket, ann, DOORS - timedelta(seconds=1)), [ASKED]),
            (partial(expire_ticket, ticket_id=ticket.id, act=by(ann, START)), []),
            (partial(redeem, ticket, ann), [ASKED, "ticket.redeemed"]),
            (partial(redeem, ticket, ann), [ASKED]),
            (partial(undo_latest, ticket, ann), []),
            (partial(redeem, ticket, ann), [ASKED, "ticket.redeemed"]),
            (partial(undo_latest, ticket, ann), []),
            (partial(redeem, ticket, ann, END), [ASKED, "ticket.expired"]),
            (partial(redeem, ticket, ann, END), [ASKED]),
            (partial(expire_ticket, ticket_id=ticket.id, act=by(ann, END)), []),
            # The other ticket of the booking is still open.
            (partial(cancel_booking, booking_id=ticket.booking.id, act=by(ann, END)), ["ticket.cancelled"]),
        ]
        for step, expected in steps:
            assert published_by(step) == expected

    def test_do_not_tell_staff_for_owners(self, ticket: Ticket, ada: User) -> None:
        colleague = StaffFactory.create()
        activate(ticket, colleague)
        redeem(ticket, colleague)
        assert {told["user_id"] for name in set(names()) if name.startswith("ticket.") for told in payloads(name)} == {
            ada.pk
        }

"""BookShowTickets: what it books, what it fails over, and what it tries again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from bookings.commands import BookShowTickets
from bookings.handlers.show_tickets import book_show_tickets
from bookings.models import Booking, Show, Ticket
from bookings.services import cancel_booking
from tests.bookings.money import Calls, deliver_now, tell
from tests.bookings.published import names, payload, payloads
from tests.bookings.show_tickets import CLIENTS, SEATS, held
from tests.bookings.threads import at_once
from tests.bookings.traces import leaving_nothing, refusing_inserts
from tests.factories import ShowFactory, TicketTypeFactory, pending_booking, staff_act
from tests.working import claim_due, deliver_due
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.delivering import deliver
from tickets_project.outbox.messages import UndecodableMessage
from tickets_project.outbox.models import Delivery

KEY = "bookings.book_show_tickets"
FULL = "The show has fewer seats left than you asked for."
STARTED = "The show has already started; it can no longer be booked."
NO_TICKETS = "A booking of this show makes no tickets, and without tickets there is no bundle."


def command(show: Show, **facts: Any) -> BookShowTickets:
    defaults: dict[str, Any] = {
        "booking_id": str(uuid4()),
        "customer_email": "ada@customers.example",
        "number_of_tickets": 3,
        "show_id": str(show.id),
    }
    return BookShowTickets(**defaults | facts)


def full_show(**facts: Any) -> Show:
    show: Show = ShowFactory.create(number_of_tickets=2, **facts)
    return show


def started_show() -> Show:
    show: Show = ShowFactory.create(start_time=timezone.now())
    return show


def show_without_tickets() -> Show:
    kind = TicketTypeFactory.create(name="free entry", makes_tickets=False)
    show: Show = ShowFactory.create(ticket_type=kind)
    return show


def deliveries() -> list[tuple[str, int]]:
    """Return how each command's delivery stands, oldest first, and how often it was tried."""
    return list(Delivery.objects.filter(handler=KEY).order_by("id").values_list("status", "attempts"))


@pytest.mark.django_db
class TestBookShowTickets:
    def test_books_for_the_owner(self, ada: User) -> None:
        asked = command(ShowFactory.create(), user_id=ada.pk)
        book_show_tickets(asked)
        booking = Booking.objects.get()
        assert (str(booking.id), booking.status, booking.owner) == (asked.booking_id, "confirmed", ada)
        assert (booking.customer_email, booking.number_of_tickets) == ("ada@customers.example", 3)
        assert abs((timezone.now() - booking.created_at).total_seconds()) < 60

    @pytest.mark.parametrize("user_id", [None, 0, 2_000_000_000])
    def test_books_without_an_owner_whom_nobody_knows(self, user_id: int | None) -> None:
        book_show_tickets(command(ShowFactory.create(), user_id=user_id))
        assert Booking.objects.get().owner is None
        assert {message["user_id"] for message in payloads("ticket.created")} == {None}

    def test_is_the_system_s_doing(self, ada: User) -> None:
        book_show_tickets(command(ShowFactory.create(), user_id=ada.pk))
        assert set(AuditEntry.objects.values_list("by", flat=True)) == {"vip bundles"}
        assert not AuditEntry.objects.exclude(actor=None).exists()

    @pytest.mark.parametrize(
        ("show", "reason"), [(full_show, FULL), (started_show, STARTED), (show_without_tickets, NO_TICKETS)]
    )
    def test_fails_with_a_sentence(self, show: Callable[[], Show], reason: str) -> None:
        asked = command(show())
        book_show_tickets(asked)
        assert names() == ["BookingFailed_v1"]
        assert payload("BookingFailed_v1") == {"booking_id": asked.booking_id, "failure_reason": reason}
        assert (Booking.objects.count(), held(Show.objects.get())) == (0, 0)

    def test_understands_what_was_stored_before_it_named_an_owner(self) -> None:
        asked = command(ShowFactory.create())
        stored = {name: value for name, value in asked.payload().items() if name != "user_id"}
        assert BookShowTickets.from_payload(stored) == asked
        with pytest.raises(UndecodableMessage):
            BookShowTickets.from_payload(stored | {"user_id": "ada"})


@contextmanager
def unknown_show() -> Iterator[BookShowTickets]:
    yield command(Show(id=uuid4()))


@contextmanager
def booking_of_another_show() -> Iterator[BookShowTickets]:
    yield command(ShowFactory.create(), booking_id=str(pending_booking().id))


@contextmanager
def broken_database() -> Iterator[BookShowTickets]:
    asked = command(ShowFactory.create())
    with refusing_inserts("bookings_ticket"):
        yield asked


@pytest.mark.django_db(transaction=True)
class TestBookShowTicketsDelivered:
    def test_books_once_for_commands_that_come_twice(self) -> None:
        show = ShowFactory.create(number_of_tickets=3)
        asked = command(show)
        tell(asked)
        deliver_due(KEY)
        assert held(show) == show.number_of_tickets
        told = names()
        tell(asked)
        deliver_due(KEY)
        assert deliveries() == [("delivered", 1)] * 2
        assert names() == [*told, "BookShowTickets"]

    def test_books_once_for_commands_that_are_delivered_at_the_same_time(self) -> None:
        show = ShowFactory.create(number_of_tickets=3)
        asked = command(show)
        tell(*[asked] * 8)
        at_once([partial(deliver, claim) for claim in claim_due(KEY)])
        assert deliveries() == [("delivered", 1)] * 8
        assert (Booking.objects.count(), Ticket.objects.count(), held(show)) == (1, 3, 3)
        assert len(payloads("BookingMade_v1")) == len(payloads("booking.confirmed")) == 1
        assert "BookingFailed_v1" not in names()

    def test_brings_nothing_back_once_it_is_cancelled(self) -> None:
        show = ShowFactory.create()
        asked = command(show)
        tell(asked)
        deliver_due(KEY)
        cancel_booking(booking_id=Booking.objects.get().id, act=staff_act())
        tell(asked)
        with leaving_nothing():
            deliver_due(KEY)
        assert deliveries() == [("delivered", 1)] * 2
        assert (Booking.objects.get().status, held(show)) == ("cancelled", 0)

    @pytest.mark.parametrize("show", [full_show, started_show, show_without_tickets])
    def test_fails_once_and_is_delivered(self, show: Callable[[], Show]) -> None:
        tell(command(show()))
        for _ in range(3):
            deliver_now()
        assert deliveries() == [("delivered", 1)]
        assert len(payloads("BookingFailed_v1")) == 1
        assert (Booking.objects.count(), held(Show.objects.get())) == (0, 0)

    @pytest.mark.parametrize("trouble", [unknown_show, booking_of_another_show, broken_database])
    def test_is_tried_again_after_any_other_trouble(self, trouble: Callable[[], Any]) -> None:
        with trouble() as asked:
            tell(asked)
            with leaving_nothing():
                deliver_due(KEY)
        assert deliveries() == [("pending", 1)]
        assert "BookingFailed_v1" not in names()

    def test_books_once_the_database_works_again(self) -> None:
        with broken_database() as asked:
            tell(asked)
            deliver_due(KEY)
        Delivery.objects.update(available_at=timezone.now())
        deliver_due(KEY)
        assert deliveries() == [("delivered", 2)]
        assert (Booking.objects.get().status, len(payloads("BookingMade_v1"))) == ("confirmed", 1)

    def test_seats_exactly_as_many_as_there_are_seats(self) -> None:
        show = ShowFactory.create(number_of_tickets=SEATS)
        tell(*[command(show, number_of_tickets=1) for _ in range(CLIENTS)])
        at_once([partial(deliver, claim) for claim in claim_due(KEY)])
        assert deliveries() == [("delivered", 1)] * CLIENTS
        assert Booking.objects.filter(status="confirmed").count() == Ticket.objects.count() == held(show) == SEATS
        assert len(payloads("BookingMade_v1")) == len(payloads("TicketBookingConfirmed_v1")) == SEATS
        assert len(payloads("BookingFailed_v1")) == CLIENTS - SEATS

    def test_has_the_vendor_s_show_booked_at_the_vendor_once(self, calls: Calls) -> None:
        show = ShowFactory.create(dead_nation_id=uuid4())
        asked = command(show)
        for _ in range(2):
            tell(asked)
            deliver_due(KEY)
            deliver_due("bookings.book_at_vendor")
        assert (Booking.objects.get().status, Ticket.objects.count(), held(show)) == ("pending", 0, 3)
        assert [call["status"] for call in calls("dead_nation.book")] == [200]
        assert "BookingFailed_v1" not in names()

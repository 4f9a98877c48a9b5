"""Which use case tells what of a booking: each event is published by its transition, and by nothing else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User

from bookings import services
from bookings.models import Booking, Show, Ticket
from bookings.request_handlers import BookingCancellationHandler, BookingConfirmationHandler
from bookings.services.refunding import begin_refund, record_refunded, record_refused, record_voided
from bookings.services.vendor import VendorTicket
from tests.bookings.published import names, payloads
from tests.bookings.rooms import book, room
from tests.factories import NOON, ShowFactory, StaffFactory, pending_booking
from tickets_project.audit.acts import Act
from tickets_project.outbox.models import Message
from tickets_project.values import Money

pytestmark = pytest.mark.django_db

START = NOON + timedelta(days=10)


class Stage:
    """A show, and bookings and tickets in each state, all of them a member of staff's doing."""

    def __init__(self) -> None:
        self.ann: User = StaffFactory.create()
        self.show: Show = ShowFactory.create(start_time=START, number_of_tickets=100)

    def act(self, *, at: datetime = NOON, reason: str = "") -> Act:
        return Act(at=at, actor=self.ann, as_staff=True, reason=reason)

    def pending(self, seats: int = 1) -> Booking:
        return pending_booking(show=self.show, seats=seats, at=NOON)

    def confirmed(self, seats: int = 1) -> Booking:
        return services.confirm_booking(booking_id=self.pending(seats).id, act=self.act(), payment_id=None)

    def ticket(self, seats: int = 1) -> Ticket:
        ticket = self.confirmed(seats).tickets.order_by("id").first()
        assert ticket
        return ticket

    def active(self) -> Ticket:
        return services.activate_ticket(ticket_id=self.ticket().id, act=self.act(), code=None)

    def scan(self, ticket: Ticket) -> Any:
        return services.scan(code=ticket.redemption_code, act=self.act(at=START), location="", nonce=None)

    def refund(self) -> Any:
        return services.request_refund(ticket_id=self.ticket(2).id, act=self.act())

    def make(self, show: Show, *, book: Any = services.make_booking, booking_id: UUID | None = None) -> Booking:
        booking: Booking = book(
            booking_id=booking_id or uuid4(),
            show_id=show.id,
            number_of_tickets=1,
            customer_email="ada@customers.example",
            owner=None,
            act=self.act(),
        )
        return booking

    def take(self, show: Show, **facts: Any) -> Booking:
        return self.make(show, book=services.book_show_tickets, **facts)

    def vendor_show(self) -> Show:
        show: Show = ShowFactory.create(start_time=START, dead_nation_id=uuid4())
        return show

    def sold_by_vendor(self) -> Booking:
        return self.make(self.vendor_show())

    def hear_of(self, booking: Booking, *, is_confirmed: bool = True) -> Booking:
        """Let the vendor tell of the booking's ticket, whose id is the booking's."""
        told = VendorTicket(
            ticket_id=booking.id,
            booking_id=booking.id,
            is_confirmed=is_confirmed,
            customer_email=booking.customer_email,
            price=booking.price,
        )
        services.record_vendor_tickets(told=[told], act=Act(at=NOON, automatic="vendor"))
        return booking


Case = tuple[Callable[[Stage], Any], Callable[[Stage, Any], Any], list[str]]

# What is there before, the use case, and what it tells of bookings.
CASES: dict[str, Case] = {
    "make_show": (
        lambda _: None,
        lambda stage, _: services.make_show(
            act=stage.act(),
            price=Money(amount=stage.show.price_amount, currency="EUR"),
            title="Aida",
            venue="Arena",
            start_time=START,
            number_of_tickets=1,
        ),
        [],
    ),
    "change_show": (
        Stage.confirmed,
        lambda stage, _: services.change_show(
            show_id=stage.show.id, act=stage.act(), start_time=START + timedelta(days=1)
        ),
        [],
    ),
    "make_resource": (lambda _: None, lambda *_: room(), []),
    "change_resource": (
        lambda _: room(),
        lambda stage, place: services.change_resource(resource_id=place.id, act=stage.act(), name="Red room"),
        [],
    ),
    "make_booking": (lambda stage: stage.show, Stage.make, ["booking.created"]),
    "book_show_tickets": (lambda stage: stage.show, Stage.take, ["booking.created", "booking.confirmed"]),
    "book_show_tickets, sold by the vendor": (Stage.vendor_show, Stage.take, ["booking.created"]),
    "book_show_tickets, again": (
        lambda stage: stage.take(stage.show),
        lambda stage, row: stage.take(stage.show, booking_id=row.id),
        [],
    ),
    "book_resource": (lambda _: room(), lambda _, place: book(place, 1, 2), ["booking.created"]),
    "confirm_booking": (
        Stage.pending,
        lambda stage, row: services.confirm_booking(booking_id=row.id, act=stage.act(), payment_id=None),
        ["booking.confirmed"],
    ),
    "cancel_booking": (
        Stage.pending,
        lambda stage, row: services.cancel_booking(booking_id=row.id, act=stage.act()),
        ["booking.cancelled"],
    ),
    "cancel_booking, confirmed": (
        lambda stage: stage.confirmed(3),
        lambda stage, row: services.cancel_booking(booking_id=row.id, act=stage.act()),
        ["booking.cancelled"],
    ),
    "refund_preview": (Stage.confirmed, lambda stage, row: services.refund_preview(row, stage.act()), []),
    "complete_booking": (
        Stage.confirmed,
        lambda stage, row: services.complete_booking(booking_id=row.id, act=stage.act()),
        ["booking.completed"],
    ),
    "mark_no_show": (
        Stage.confirmed,
        lambda stage, row: services.mark_no_show(booking_id=row.id, act=stage.act()),
        ["booking.no_show"],
    ),
    "activate_ticket": (
        Stage.ticket,
        lambda stage, row: services.activate_ticket(ticket_id=row.id, act=stage.act(), code=None),
        [],
    ),
    "scan": (Stage.active, Stage.scan, []),
    "undo_scan": (
        lambda stage: stage.scan(stage.active()),
        lambda stage, row: services.undo_scan(scan_id=row.id, act=stage.act(at=START)),
        [],
    ),
    "expire_ticket": (
        Stage.active,
        lambda stage, row: services.expire_ticket(ticket_id=row.id, act=stage.act(at=START + timedelta(days=1))),
        [],
    ),
    "release_booking": (
        Stage.pending,
        lambda stage, row: services.release_booking(booking_id=row.id, act=stage.act(), created_before=NOON),
        ["booking.cancelled"],
    ),
    "release_booking, too early": (
        Stage.pending,
        lambda stage, row: services.release_booking(
            booking_id=row.id, act=stage.act(), created_before=NOON - timedelta(seconds=1)
        ),
        [],
    ),
    "remind": (
        Stage.confirmed,
        lambda stage, row: services.remind(
            booking_id=row.id, act=stage.act(at=START - timedelta(hours=24)), hours_before=24
        ),
        [],
    ),
    "record_vendor_tickets, confirmed": (Stage.sold_by_vendor, Stage.hear_of, ["booking.confirmed"]),
    "record_vendor_tickets, cancelled": (
        lambda stage: stage.hear_of(stage.sold_by_vendor()),
        lambda stage, row: stage.hear_of(row, is_confirmed=False),
        ["booking.cancelled"],
    ),
    "record_printed": (
        Stage.ticket,
        lambda _, row: services.record_printed(ticket_id=row.id, file_name="a.html", at=NOON),
        [],
    ),
    "request_refund": (
        lambda stage: stage.ticket(2),
        lambda stage, row: services.request_refund(ticket_id=row.id, act=stage.act()),
        [],
    ),
    "request_refund, of the last ticket": (
        Stage.ticket,
        lambda stage, row: services.request_refund(ticket_id=row.id, act=stage.act()),
        ["booking.cancelled"],
    ),
    "begin_refund, of the last ticket": (
        Stage.ticket,
        lambda stage, row: begin_refund(ticket_id=row.id, act=stage.act()),
        ["booking.cancelled"],
    ),
    "record_voided": (Stage.refund, lambda stage, row: record_voided(refund_id=row.id, act=stage.act()), []),
    "record_refunded": (Stage.refund, lambda stage, row: record_refunded(refund_id=row.id, act=stage.act()), []),
    "record_refused": (Stage.refund, lambda stage, row: record_refused(refund_id=row.id, act=stage.act()), []),
    "mark_paid": (
        lambda stage: services.cancel_booking(
            booking_id=stage.confirmed().id, act=stage.act(), refund_amount=stage.show.price_amount / 2
        ).refunds.get(),
        lambda stage, row: services.mark_paid(refund_id=row.id, act=stage.act()),
        [],
    ),
    "BookingConfirmationHandler": (
        Stage.pending,
        lambda stage, row: BookingConfirmationHandler()(booking=row, act=stage.act(), payment_id=None),
        ["booking.confirmation_requested", "booking.confirmed"],
    ),
    "BookingCancellationHandler": (
        Stage.pending,
        lambda stage, row: BookingCancellationHandler()(booking=row, act=stage.act(), refund_amount=None),
        ["booking.cancellation_requested", "booking.cancelled"],
    ),
    "BookingConfirmationHandler, refused": (
        Stage.confirmed,
        lambda stage, row: BookingConfirmationHandler()(booking=row, act=stage.act(), payment_id=None),
        ["booking.confirmation_requested"],
    ),
}


def of_bookings() -> list[str]:
    return [name for name in names() if name.startswith("booking.")]


class TestEventsOfBookings:
    @pytest.mark.parametrize("case", list(CASES))
    def test_are_told_by_their_own_use_case(self, case: str) -> None:
        prepare, run, expected = CASES[case]
        stage = Stage()
        there = prepare(stage)
        before = len(of_bookings())
        run(stage, there)
        assert of_bookings()[before:] == expected

    def test_know_every_use_case(self) -> None:
        use_cases = {name for name in services.__all__ if callable(getattr(services, name))}
        assert use_cases <= {case.partition(",")[0] for case in CASES}

    def test_are_all_told_by_some(self) -> None:
        told = {name for *_, expected in CASES.values() for name in expected}
        assert told == {
            "booking.created",
            "booking.confirmation_requested",
            "booking.confirmed",
            "booking.cancellation_requested",
            "booking.cancelled",
            "booking.completed",
            "booking.no_show",
        }

    def test_are_about_their_booking(self) -> None:
        stage = Stage()
        booking = stage.confirmed()
        services.complete_booking(booking_id=booking.id, act=stage.act())
        about = Message.objects.filter(type__startswith="booking.").values_list("aggregatetype", "aggregateid")
        assert list(about) == 3 * [("booking", str(booking.id))]


class TestBookingCancelled:
    def test_tells_what_was_paid_back_ticket_by_ticket(self) -> None:
        stage = Stage()
        booking = stage.confirmed(2)
        for ticket in booking.tickets.all():
            assert payloads("booking.cancelled") == []
            services.request_refund(ticket_id=ticket.id, act=stage.act(reason="ill"))
        [told] = payloads("booking.cancelled")
        assert told == {
            "booking_id": str(booking.id),
            "user_id": booking.owner_id,
            "cancelled_at": "2026-05-02T12:00:00Z",
            "reason": "ill",
            "refund_amount": "20.00",
            "admin_id": stage.ann.pk,
        }

    def test_knows_no_user_where_there_is_none(self) -> None:
        stage = Stage()
        services.cancel_booking(booking_id=stage.make(stage.show).id, act=Act(at=NOON, automatic="schedule"))
        [told] = payloads("booking.cancelled")
        assert (told["user_id"], told["admin_id"], told["reason"]) == (None, None, None)

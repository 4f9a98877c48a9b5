"""Bookings and tickets through anything that people may ask of them, against a model in plain Python.

The short run repeats the same examples; `LIFE_CYCLE_EXAMPLES=1000` makes it a search for new ones.
"""

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bookings import services, signals
from bookings.models import Booking, Refund, Show, Ticket
from bookings.services.refunding import begin_refund, record_refunded, record_refused, record_voided
from bookings.services.releasing import release_booking
from tests.bookings.life_cycle_model import UNDERWAY, Model, ModelBooking, ModelShow, ModelTicket, times_of
from tests.factories import NOON, ShowFactory, StaffFactory, TicketTypeFactory, UserFactory
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.event_result import EventResult, ask
from tickets_project.outbox.models import Message
from tickets_project.refusals import DomainError

EXAMPLES = int(os.environ.get("LIFE_CYCLE_EXAMPLES", "0"))
SEARCH = settings(
    max_examples=EXAMPLES or 25,
    stateful_step_count=50,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KINDS: dict[str, dict[str, Any]] = {
    "manual": {},
    "at once": {"activation": "on_confirmation"},
    "pass": {"valid_days": 1},
    "list": {"makes_tickets": False},
}
STARTS = st.sampled_from([2 * HOUR, 7 * HOUR, 20 * HOUR, 26 * HOUR, 72 * HOUR])
PRICES = st.sampled_from([0, 33, 1000])
PAYMENTS = st.none() | st.sampled_from([f"pay-{number}" for number in range(20)])
AMOUNTS = st.none() | st.sampled_from([0, 17, 33, 66, 1000, 1500, 2000, 9999])
BY_STAFF = st.booleans()

# How each request was answered, in all examples.
seen: Counter[str] = Counter()


def money(cents: int) -> Decimal:
    return Decimal(cents) / 100


class LifeCycle(RuleBasedStateMachine):
    """Asks the same of the system and of the model; each example is rolled back."""

    bookings, tickets, scans = Bundle("bookings"), Bundle("tickets"), Bundle("scans")

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.ada, self.ann = UserFactory.create(), StaffFactory.create()
        self.model = Model(now=NOON)
        self.requests: Counter[str] = Counter()

    def teardown(self) -> None:
        try:
            if not connection.needs_rollback:
                self.told_of_each_change_once()
                self.recorded_each_change_in_its_order()
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)

    def act(self, *, staff: bool) -> Act:
        return Act(at=self.model.now, actor=self.ann if staff else self.ada, as_staff=staff)

    def agree(self, what: str, expected: str | None, request: Callable[[], Any]) -> Any:
        """Ask, and require the answer that the model gave; return it, None when it was refused."""
        try:
            with transaction.atomic():
                answer = request()
        except DomainError as refusal:
            answer, refused = None, refusal.code
        else:
            refused = answer.error_type if isinstance(answer, EventResult) else None
        seen[f"{what}: {refused or 'done'}"] += 1
        assert refused == expected, f"{what}: answered {refused}, expected {expected}"
        return None if refused else answer

    @initialize(
        shows=st.lists(
            st.tuples(STARTS, st.integers(1, 6), PRICES, st.sampled_from(list(KINDS))), min_size=2, max_size=2
        )
    )
    def put_up(self, shows: list[tuple[timedelta, int, int, str]]) -> None:
        for starts_in, seats, price, kind in shows:
            show = ShowFactory.create(
                start_time=NOON + starts_in,
                number_of_tickets=seats,
                price_amount=money(price),
                ticket_type=TicketTypeFactory.create(name=kind, **KINDS[kind]),
            )
            self.model.shows.append(ModelShow(show.id, show.start_time, seats, price, kind))

    @rule(target=bookings, number=st.integers(0, 1), seats=st.integers(1, 3))
    def book(self, number: int, seats: int) -> Any:
        show, booking_id = self.model.shows[number], uuid4()
        expected = self.model.may_book(show, seats)
        made = self.agree(
            "book",
            expected,
            lambda: services.make_booking(
                booking_id=booking_id,
                show_id=show.id,
                number_of_tickets=seats,
                customer_email=self.ada.email,
                owner=self.ada,
                act=self.act(staff=False),
            ),
        )
        if made is None:
            return multiple()
        show.bookings.append(ModelBooking(booking_id, show, seats, self.model.now))
        return show.bookings[-1]

    @rule(target=tickets, booking=bookings, payment=PAYMENTS, staff=BY_STAFF)
    def confirm(self, booking: ModelBooking, payment: str | None, *, staff: bool) -> Any:
        self.requests["booking.confirmation_requested"] += 1
        signal, row = signals.booking_confirmation_requested, Booking.objects.get(id=booking.id)
        expected = self.model.confirm(booking, payment, staff=staff)
        act = self.act(staff=staff)
        if not self.agree("confirm", expected, lambda: ask(signal, booking=row, act=act, payment_id=payment)):
            return multiple()
        booking.tickets = [ModelTicket(key, booking) for key in row.tickets.values_list("id", flat=True)]
        assert len(booking.tickets) == (0 if booking.show.kind == "list" else booking.seats)
        for ticket in booking.tickets if booking.show.kind == "at once" else ():
            ticket.become("active")
            ticket.valid = times_of(booking.show)
        return multiple(*booking.tickets)

    @rule(booking=bookings, amount=AMOUNTS, staff=BY_STAFF)
    def cancel(self, booking: ModelBooking, amount: int | None, *, staff: bool) -> None:
        self.requests["booking.cancellation_requested"] += 1
        row, act = Booking.objects.get(id=booking.id), self.act(staff=staff)
        if self.model.may_cancel(booking, None, staff=staff) is None:
            assert services.refund_preview(row, act) == money(self.model.due(booking, staff=staff))
        expected = self.model.cancel(booking, amount, staff=staff)
        given = None if amount is None else money(amount)
        signal = signals.booking_cancellation_requested
        self.agree("cancel", expected, lambda: ask(signal, booking=row, act=act, refund_amount=given))

    @rule(booking=bookings)
    def release(self, booking: ModelBooking) -> None:
        act, expected = self.act(staff=False), self.model.release(booking)
        assert release_booking(booking_id=booking.id, act=act, created_before=act.at - 15 * MINUTE) is expected
        seen[f"release: {expected}"] += 1

    @rule(booking=bookings)
    def complete(self, booking: ModelBooking) -> None:
        act = self.act(staff=True)
        expected = self.model.end(booking, "completed")
        self.agree("complete", expected, lambda: services.complete_booking(booking_id=booking.id, act=act))

    @rule(booking=bookings)
    def miss(self, booking: ModelBooking) -> None:
        act = self.act(staff=True)
        expected = self.model.end(booking, "no_show")
        self.agree("no-show", expected, lambda: services.mark_no_show(booking_id=booking.id, act=act))

    @rule(ticket=tickets, has_code=st.booleans(), staff=BY_STAFF)
    def activate(self, ticket: ModelTicket, *, has_code: bool, staff: bool) -> None:
        row = Ticket.objects.get(id=ticket.id)
        code = row.activation_code if has_code else None if staff else "WRONG"
        expected = self.model.activate(ticket, has_code=has_code, staff=staff)
        signal, act = signals.ticket_activation_requested, self.act(staff=staff)
        self.agree("activate", expected, lambda: ask(signal, ticket=row, act=act, activation_code=code))

    @rule(target=scans, ticket=tickets)
    def redeem(self, ticket: ModelTicket) -> Any:
        code, act = Ticket.objects.get(id=ticket.id).redemption_code, self.act(staff=True)
        signal, expected = signals.ticket_redemption_requested, self.model.scan(ticket)
        asked = {"redemption_code": code, "act": act, "location": "", "nonce": None}
        answer = self.agree("redeem", expected, lambda: ask(signal, **asked))
        return (ticket, answer.data["scan"]) if answer else multiple()

    @rule(scan=scans)
    def undo(self, scan: tuple[ModelTicket, Any]) -> None:
        ticket, row = scan
        row.refresh_from_db()
        expected = self.model.undo(ticket, row.scanned_at, undone=bool(row.undone_at))
        act = self.act(staff=True)
        self.agree("undo", expected, lambda: services.undo_scan(scan_id=row.id, act=act))

    @rule(ticket=tickets)
    def expire(self, ticket: ModelTicket) -> None:
        self.model.expire(ticket)
        services.expire_ticket(ticket_id=ticket.id, act=self.act(staff=False))
        seen[f"expire: {ticket.status}"] += 1

    @rule(ticket=tickets, staff=BY_STAFF)
    def ask_back(self, ticket: ModelTicket, *, staff: bool) -> None:
        expected, act = self.model.ask_back(ticket, staff=staff), self.act(staff=staff)
        self.agree("refund", expected, lambda: services.request_refund(ticket_id=ticket.id, act=act))

    @precondition(lambda self: self.model.commands)
    @rule(ending=st.sampled_from(["voided", "refunded", "failed"]))
    def carry_out(self, ending: str) -> None:
        """Do what the handler of the oldest command does, until it is interrupted or at its end."""
        self.refund_by_command(self.model.commands.pop(0), ending)

    @rule(ticket=tickets, ending=st.sampled_from(["voided", "refunded", "failed"]))
    def refund_by_command(self, ticket: ModelTicket, ending: str) -> None:
        """Carry out a command of another app, or one that is delivered again."""
        act = self.act(staff=False).because("answered 403")
        self.model.command(ticket)
        refund = begin_refund(ticket_id=ticket.id, act=act)
        assert (refund is None) is (ticket.refund is None)
        if refund is None or ticket.refund is None or ticket.refund.status not in UNDERWAY:
            return
        record_voided(refund_id=refund.id, act=act)
        if ending == "refunded":
            record_refunded(refund_id=refund.id, act=act)
        elif ending == "failed":
            record_refused(refund_id=refund.id, act=act)
        ticket.refund.status = {"voided": "receipt_voided"}.get(ending, ending)
        seen[f"command: {ending}"] += 1

    @rule(booking=bookings)
    def pay(self, booking: ModelBooking) -> None:
        """Pay by hand what of a booking is left to a person."""
        act = self.act(staff=True)
        for refund in Refund.objects.filter(booking_id=booking.id):
            expected = None if refund.status == "manual" else "refund_not_manual"
            self.agree("pay", expected, lambda key=refund.id: services.mark_paid(refund_id=key, act=act))
        for row in booking.refunds:
            row.status = "paid" if row.status == "manual" else row.status

    @rule(number=st.integers(0, 1), starts_in=STARTS)
    def move(self, number: int, starts_in: timedelta) -> None:
        show, start = self.model.shows[number], self.model.now + starts_in
        self.model.move(show, start)
        services.change_show(show_id=show.id, act=self.act(staff=True), start_time=start)

    @rule(time=st.sampled_from([10 * MINUTE, 16 * MINUTE, HOUR, 5 * HOUR, 18 * HOUR]))
    def wait(self, time: timedelta) -> None:
        self.model.now += time

    @invariant()
    def stores_what_the_model_says(self) -> None:
        shows, bookings = self.model.shows, [each for show in self.model.shows for each in show.bookings]
        tickets = [ticket for booking in bookings for ticket in booking.tickets]
        assert dict(Show.objects.values_list("id", "seats_held")) == {show.id: show.held for show in shows}
        assert all(0 <= show.held <= show.seats for show in shows)
        assert rows_of(Booking, "status", "seats_held", "start_time", "refund_amount") == {
            each.id: (each.status, each.held, each.show.start, amount_of(each)) for each in bookings
        }
        assert rows_of(Ticket, "status", "valid_from", "valid_until") == {
            each.id: (each.status, *(each.valid or (None, None))) for each in tickets
        }
        for booking in bookings:
            stored = Refund.objects.filter(booking_id=booking.id).values_list("status", "amount")
            assert sorted(stored) == sorted((refund.status, money(refund.amount)) for refund in booking.refunds)
            assert 0 <= booking.left <= booking.paid

    def told_of_each_change_once(self) -> None:
        told = Counter(Message.objects.values_list("type", "aggregateid"))
        for booking in (booking for show in self.model.shows for booking in show.bookings):
            assert changes(told, "booking", booking.id) == Counter(booking.told)
            for ticket in booking.tickets:
                assert changes(told, "ticket", ticket.id) == Counter(["created", *ticket.told])
        for name, count in self.requests.items():
            assert sum(number for (kind, _), number in told.items() if kind == name) == count

    def recorded_each_change_in_its_order(self) -> None:
        stood: dict[str, str] = {}
        for subject, old, new in (
            AuditEntry.objects.exclude(new="").order_by("id").values_list("subject_id", "old", "new")
        ):
            assert old in {stood.get(subject, ""), "pending"} if subject not in stood else old == stood[subject]
            stood[subject] = new
        for model in (Booking, Ticket):
            for key, status in model._default_manager.values_list("id", "status"):
                assert stood.get(str(key), "pending") == status


def rows_of(model: Any, *names: str) -> dict[UUID, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in model.objects.values_list("id", *names)}


def amount_of(booking: ModelBooking) -> Decimal | None:
    return None if booking.refund_amount is None else money(booking.refund_amount)


def changes(told: Counter[tuple[str, str]], kind: str, key: UUID) -> Counter[str]:
    """Return how often each life-cycle event was told of a row."""
    mine = {name.removeprefix(f"{kind}."): count for (name, about), count in told.items() if about == str(key)}
    return Counter({name: count for name, count in mine.items() if name.islower() and "request" not in name})


@pytest.mark.django_db
@pytest.mark.timeout(120 + 10 * EXAMPLES)
class TestLifeCycle:
    def test_is_what_the_model_says(self) -> None:
        seen.clear()
        run_state_machine_as_test(LifeCycle, settings=SEARCH)
        assert {name for name, count in seen.items() if count} >= REACHED


# What the examples must come to, so that they mean something.
REACHED = {
    "book: done",
}

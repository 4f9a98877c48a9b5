"""A hypothesis machine that asks the same of the system and of the model, in any order."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from bookings import services, signals
from bookings.models import Booking, Refund, Ticket
from bookings.services.refunding import begin_refund, record_refunded, record_refused, record_voided
from bookings.services.releasing import release_booking
from tests.bookings.life_cycle_asking import Asking, pick, seen
from tests.bookings.life_cycle_model import UNDERWAY
from tests.bookings.life_cycle_rows import ModelBooking, ModelShow, ModelTicket, times_of
from tests.bookings.life_cycle_stored import money
from tests.factories import NOON, ShowFactory, TicketTypeFactory
from tickets_project.event_result import ask

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KINDS: dict[str, dict[str, Any]] = {
    "manual": {},
    "at once": {"activation": "on_confirmation"},
    "pass": {"valid_days": 1},
    "list": {"makes_tickets": False},
}
ENDS: dict[str, Callable[..., Booking]] = {
    "completed": services.complete_booking,
    "no_show": services.mark_no_show,
}
STARTS = st.sampled_from([6 * HOUR, 7 * HOUR, 20 * HOUR, 24 * HOUR, 72 * HOUR])
SHOWS = st.tuples(
    STARTS,
    st.integers(4, 6),
    st.sampled_from([1000, 33, 0]),
    st.sampled_from(["manual", *KINDS]),
)
PEOPLE = st.tuples(st.integers(0, 1), st.integers(1, 3), st.sampled_from(["active", "confirmed", "pending"]))
# Few, so that requests meet one another.
MOST_BOOKINGS = 4
TIMES = st.sampled_from(["doors", "end", 0 * HOUR, 10 * MINUTE, 16 * MINUTE, 7 * HOUR])
PAYMENTS = st.sampled_from(["new", "new", "new", "used", None])
AMOUNTS = st.none() | st.none() | st.sampled_from([0, 17, 33, 66, 1000, 1500, 2000, 9999])
ENDINGS = st.sampled_from(["voided", "refunded", "failed"])
NUMBER, STAFF = st.integers(0, 99), st.booleans()
# Mostly one that the request is meant for, now and then any.
ANY = st.sampled_from([False, False, False, True])


def bookings_are_there(machine: "LifeCycle") -> bool:
    return bool(machine.model.bookings)


def tickets_are_there(machine: "LifeCycle") -> bool:
    return bool(machine.model.tickets)


class LifeCycle(Asking):
    """Each request as a rule."""

    @initialize(shows=st.lists(SHOWS, min_size=2, max_size=2), people=st.lists(PEOPLE, min_size=1, max_size=3))
    def put_up(self, shows: list[tuple[timedelta, int, int, str]], people: list[tuple[int, int, str]]) -> None:
        """Begin with some bookings: which requests an example leaves out is hypothesis's choice."""
        for starts_in, seats, price, kind in shows:
            show = ShowFactory.create(
                start_time=NOON + starts_in,
                number_of_tickets=seats,
                price_amount=money(price),
                ticket_type=TicketTypeFactory.create(name=kind, **KINDS[kind]),
            )
            self.model.shows.append(ModelShow(show.id, show.start_time, seats, price, kind))
        for number, seats, status in people:
            booking = self._book(number, seats)
            if booking and status != "pending":
                self._confirm(booking, None, staff=True)
            for ticket in booking.tickets if booking and status == "active" else ():
                self._activate(ticket, has_code=False, staff=True)

    @precondition(lambda self: len(self.model.bookings) < MOST_BOOKINGS)
    @rule(number=st.integers(0, 1), seats=st.integers(1, 3))
    def book(self, number: int, seats: int) -> None:
        self._book(number, seats)

    def _book(self, number: int, seats: int) -> ModelBooking | None:
        show, booking_id = self.model.shows[number], uuid4()
        made = partial(
            services.make_booking,
            booking_id=booking_id,
            show_id=show.id,
            number_of_tickets=seats,
            customer_email=self.ada.email,
            owner=self.ada,
            act=self.act(staff=False),
        )
        if not self.agree("book", self.model.may_book(show, seats), made):
            return None
        show.bookings.append(ModelBooking(booking_id, show, seats, self.model.now))
        return show.bookings[-1]

    @precondition(bookings_are_there)
    @rule(number=NUMBER, any_=ANY, payment=PAYMENTS, staff=STAFF)
    def confirm(self, number: int, payment: str | None, *, any_: bool, staff: bool) -> None:
        booking = pick(self.model.bookings, number, ["pending"], any_=any_)
        self._confirm(booking, f"pay-{booking.id}" if payment == "new" else payment, staff=staff)

    def _confirm(self, booking: ModelBooking, payment: str | None, *, staff: bool) -> None:
        self.requests["booking.confirmation_requested"] += 1
        row, act = Booking.objects.get(id=booking.id), self.act(staff=staff)
        expected = self.model.confirm(booking, payment, staff=staff)
        asked = partial(ask, signals.booking_confirmation_requested, booking=row, act=act, payment_id=payment)
        if self.agree("confirm", expected, asked):
            made = row.tickets.order_by("id").values_list("id", flat=True)
            self.model.make_tickets(booking, list(made))

    @precondition(bookings_are_there)
    @rule(number=NUMBER, any_=ANY, amount=AMOUNTS, staff=STAFF)
    def cancel(self, number: int, amount: int | None, *, any_: bool, staff: bool) -> None:
        booking = pick(self.model.bookings, number, ["confirmed"], any_=any_)
        self.requests["booking.cancellation_requested"] += 1
        row, act = Booking.objects.get(id=booking.id), self.act(staff=staff)
        if self.model.may_cancel(booking, None, staff=staff) is None:
            assert services.refund_preview(row, act) == money(self.model.due(booking, staff=staff))
        expected = self.model.cancel(booking, amount, staff=staff)
        given = None if amount is None else money(amount)
        signal = signals.booking_cancellation_requested
        self.agree("cancel", expected, partial(ask, signal, booking=row, act=act, refund_amount=given))

    @precondition(bookings_are_there)
    @rule(number=NUMBER, any_=ANY, status=st.sampled_from([*ENDS, "cancelled"]))
    def end(self, number: int, status: str, *, any_: bool) -> None:
        """Note how a booking ended, or release one that nobody confirmed in time."""
        if status == "cancelled":
            self._release(pick(self.model.bookings, number, ["pending"], any_=any_))
            return
        booking = pick(self.model.bookings, number, ["confirmed"], any_=any_)
        asked = partial(ENDS[status], booking_id=booking.id, act=self.act(staff=True))
        self.agree(status, self.model.end(booking, status), asked)

    def _release(self, booking: ModelBooking) -> None:
        act, expected = self.act(staff=False), self.model.release(booking)
        assert release_booking(booking_id=booking.id, act=act, created_before=act.at - 15 * MINUTE) is expected
        seen[f"release: {expected}"] += 1

    @precondition(tickets_are_there)
    @rule(number=NUMBER, any_=ANY, has_code=st.booleans(), staff=STAFF)
    def activate(self, number: int, *, any_: bool, has_code: bool, staff: bool) -> None:
        ticket = pick(self.model.tickets, number, ["pending"], any_=any_)
        self._activate(ticket, has_code=has_code, staff=staff)

    def _activate(self, ticket: ModelTicket, *, has_code: bool, staff: bool) -> None:
        row = Ticket.objects.get(id=ticket.id)
        code = row.activation_code if has_code else None if staff else "WRONG"
        expected = self.model.activate(ticket, has_code=has_code, staff=staff)
        signal, act = signals.ticket_activation_requested, self.act(staff=staff)
        self.agree("activate", expected, partial(ask, signal, ticket=row, act=act, activation_code=code))

    @precondition(tickets_are_there)
    @rule(number=NUMBER, any_=ANY, waits=st.booleans())
    def redeem(self, number: int, *, any_: bool, waits: bool) -> None:
        """Scan a ticket, now or once the doors are open."""
        ticket = pick(self.model.tickets, number, ["active"], any_=any_)
        if waits and ticket.valid:
            self.model.now = max(self.model.now, ticket.valid[0])
        code, act = Ticket.objects.get(id=ticket.id).redemption_code, self.act(staff=True)
        signal, expected = signals.ticket_redemption_requested, self.model.scan(ticket)
        asked = partial(ask, signal, redemption_code=code, act=act, location="", nonce=None)
        if answer := self.agree("redeem", expected, asked):
            self.scans.append((ticket, answer.data["scan"]))

    @precondition(lambda self: self.scans)
    @rule(number=NUMBER)
    def undo(self, number: int) -> None:
        ticket, scan = self.scans[-1 - number % min(len(self.scans), 3)]
        scan.refresh_from_db()
        expected = self.model.undo(ticket, scan.scanned_at, undone=bool(scan.undone_at))
        self.agree("undo", expected, partial(services.undo_scan, scan_id=scan.id, act=self.act(staff=True)))

    @precondition(tickets_are_there)
    @rule(number=NUMBER, any_=ANY)
    def expire(self, number: int, *, any_: bool) -> None:
        ticket = pick(self.model.tickets, number, ["active"], any_=any_)
        self.model.expire(ticket)
        services.expire_ticket(ticket_id=ticket.id, act=self.act(staff=False))
        seen[f"expire: {ticket.status}"] += 1

    @precondition(tickets_are_there)
    @rule(number=NUMBER, any_=ANY, staff=STAFF)
    def ask_back(self, number: int, *, any_: bool, staff: bool) -> None:
        ticket = pick(self.model.tickets, number, ["pending", "active"], any_=any_)
        expected, act = self.model.ask_back(ticket, staff=staff), self.act(staff=staff)
        self.agree("refund", expected, partial(services.request_refund, ticket_id=ticket.id, act=act))

    @precondition(lambda self: self.model.commands)
    @rule(ending=ENDINGS)
    def carry_out(self, ending: str) -> None:
        """Do what the handler of the oldest command does, until it is interrupted or at its end."""
        self._carry_out(self.model.commands.pop(0), ending)

    @precondition(tickets_are_there)
    @rule(number=NUMBER, any_=ANY, ending=ENDINGS)
    def carry_out_another(self, number: int, ending: str, *, any_: bool) -> None:
        """Carry out a command of another app, or one that is delivered again."""
        self._carry_out(pick(self.model.tickets, number, ["cancelled", "redeemed"], any_=any_), ending)

    def _carry_out(self, ticket: ModelTicket, ending: str) -> None:
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
        ticket.refund.status = "receipt_voided" if ending == "voided" else ending
        seen[f"command: {ending}"] += 1

    @precondition(lambda self: any(booking.refunds for booking in self.model.bookings))
    @rule(number=NUMBER)
    def pay(self, number: int) -> None:
        """Pay what a person is to pay, and nothing else."""
        refunds = [refund for booking in self.model.bookings for refund in booking.refunds]
        manual = [refund for refund in refunds if refund.status == "manual"] or refunds
        refund = manual[number % len(manual)]
        found = Refund.objects.filter(status=refund.status, amount=money(refund.amount))
        booking = next(booking for booking in self.model.bookings if refund in booking.refunds)
        row = found.filter(booking_id=booking.id).first()
        assert row
        expected = None if refund.status == "manual" else "refund_not_manual"
        self.agree("pay", expected, partial(services.mark_paid, refund_id=row.id, act=self.act(staff=True)))
        refund.status = "paid" if expected is None else refund.status

    @rule(number=st.integers(0, 1), moved=st.none() | STARTS, time=TIMES)
    def pass_time(self, number: int, moved: timedelta | None, time: str | timedelta) -> None:
        """Wait for so long, or for the doors or the end of a show, which is moved before or not."""
        show = self.model.shows[number]
        if moved:
            self.model.move(show, self.model.now + moved)
            services.change_show(show_id=show.id, act=self.act(staff=True), start_time=show.start)
        if isinstance(time, str):
            doors, end = times_of(show)
            self.model.now = max(self.model.now, doors if time == "doors" else end)
        else:
            self.model.now += time

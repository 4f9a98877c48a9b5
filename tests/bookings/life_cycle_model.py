"""What bookings and tickets should do, in plain Python: what the life-cycle machine expects of the database.

Nothing that it judges is imported. A request answers the code of its refusal, or None when it is done.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tests.bookings.life_cycle_rows import HOUR, ModelBooking, ModelRefund, ModelShow, ModelTicket, times_of

STANDING, OPEN, UNDERWAY = ("pending", "confirmed"), ("pending", "active"), ("requested", "receipt_voided")


@dataclass
class Model:
    """All there is, and the time."""

    now: datetime
    shows: list[ModelShow] = field(default_factory=list)
    payments: set[str] = field(default_factory=set)
    commands: list[ModelTicket] = field(default_factory=list)

    @property
    def bookings(self) -> list[ModelBooking]:
        return [booking for show in self.shows for booking in show.bookings]

    @property
    def tickets(self) -> list[ModelTicket]:
        return [ticket for booking in self.bookings for ticket in booking.tickets]

    def may_book(self, show: ModelShow, seats: int) -> str | None:
        if show.start <= self.now:
            return "show_has_started"
        return "not_enough_tickets" if seats > show.seats - show.held else None

    def confirm(self, booking: ModelBooking, payment: str | None, *, staff: bool) -> str | None:
        price = booking.show.price * booking.seats
        if booking.status != "pending":
            return "booking_not_pending"
        if payment is None and price and not staff:
            return "payment_required"
        if payment in self.payments:
            return "payment_already_used"
        self.payments |= {payment} if payment else set()
        booking.paid = price
        booking.become("confirmed")
        return None

    def make_tickets(self, booking: ModelBooking, ids: list[UUID]) -> None:
        assert len(ids) == (0 if booking.show.kind == "list" else booking.seats)
        booking.tickets = [ModelTicket(key, booking) for key in ids]
        for ticket in booking.tickets if booking.show.kind == "at once" else ():
            ticket.become("active")
            ticket.valid = times_of(booking.show)

    def percent(self, booking: ModelBooking, *, staff: bool) -> int:
        notice = booking.show.start - self.now
        if staff or notice >= 24 * HOUR:
            return 100
        return 50 if notice >= 6 * HOUR else 0

    def due(self, booking: ModelBooking, *, staff: bool) -> int:
        settled = sum(ticket.price for ticket in booking.tickets if ticket.is_settled(staff=staff))
        share = _share(booking.paid - settled, self.percent(booking, staff=staff))
        return max(0, min(share, booking.left))

    def may_cancel(self, booking: ModelBooking, amount: int | None, *, staff: bool) -> str | None:
        if booking.status == "cancelled":
            return "booking_already_cancelled"
        if booking.status not in STANDING:
            return "booking_not_cancellable"
        if amount is not None and not staff:
            return "refund_amount_is_for_staff"
        return "refund_amount_too_high" if amount is not None and amount > booking.left else None

    def cancel(self, booking: ModelBooking, amount: int | None, *, staff: bool) -> str | None:
        if refusal := self.may_cancel(booking, amount, staff=staff):
            return refusal
        back = self.due(booking, staff=staff) if amount is None else amount
        rest = [ticket for ticket in booking.tickets if not ticket.is_settled(staff=staff)]
        for ticket in booking.tickets:
            if ticket.status in OPEN:
                ticket.become("cancelled")
        booking.become("cancelled")
        booking.refund_amount = back
        self._pay_back(booking, rest, back)
        return None

    def release(self, booking: ModelBooking) -> bool:
        due = booking.status == "pending" and booking.made_at <= self.now - HOUR / 4
        return due and self.cancel(booking, None, staff=False) is None

    def end(self, booking: ModelBooking, status: str) -> str | None:
        if booking.status != "confirmed":
            return "booking_not_confirmed"
        booking.become(status)
        return None

    def activate(self, ticket: ModelTicket, *, has_code: bool, staff: bool) -> str | None:
        if ticket.status != "pending":
            return "ticket_not_pending"
        if not staff and not has_code:
            return "wrong_activation_code"
        show = ticket.booking.show
        ticket.valid = (self.now, self.now + 24 * HOUR) if show.kind == "pass" else times_of(show)
        ticket.become("active")
        return None

    def scan(self, ticket: ModelTicket) -> str | None:
        self.expire(ticket)
        refusals = {"pending": "not_active", "redeemed": "already_redeemed"}
        if ticket.status != "active":
            return refusals.get(ticket.status, ticket.status)
        if ticket.valid and self.now < ticket.valid[0]:
            return "not_yet_valid"
        ticket.become("redeemed")
        return None

    def undo(self, ticket: ModelTicket, scanned_at: datetime, *, undone: bool) -> str | None:
        if undone:
            return "scan_already_undone"
        if self.now - scanned_at > HOUR / 4:
            return "too_late_to_undo"
        if ticket.refund:
            return "refund_already_requested"
        if ticket.booking.status == "cancelled":
            return "booking_already_cancelled"
        ticket.status = "active"
        return None

    def expire(self, ticket: ModelTicket) -> None:
        if ticket.status == "active" and ticket.valid and ticket.valid[1] <= self.now:
            ticket.become("expired")

    def move(self, show: ModelShow, start: datetime) -> None:
        show.start = start
        for ticket in (ticket for booking in show.bookings for ticket in booking.tickets):
            if show.kind != "pass" and ticket.status in {"active", "redeemed"}:
                ticket.valid = times_of(show)

    def ask_back(self, ticket: ModelTicket, *, staff: bool) -> str | None:
        if ticket.refund and ticket.refund.status != "failed":
            return "refund_already_requested"
        if ticket.refund:
            self._send(ticket)
            return None
        amount = min(ticket.price, ticket.booking.left)
        if not staff and (ticket.booking.status == "cancelled" or ticket.is_settled(staff=False)):
            return "nothing_to_refund"
        if not staff:
            amount = min(amount, _share(ticket.price, self.percent(ticket.booking, staff=False)))
        if amount <= 0:
            return "nothing_to_refund"
        ticket.refund = ModelRefund(amount, "manual")
        if amount == ticket.price:
            self._send(ticket)
        self._drop(ticket)
        return None

    def command(self, ticket: ModelTicket) -> None:
        amount = max(0, min(ticket.price, ticket.booking.left))
        if ticket.refund is None and (amount or not ticket.price):
            ticket.refund = ModelRefund(amount, "requested" if amount == ticket.price else "manual")
        elif ticket.refund and ticket.refund.status == "failed":
            ticket.refund.status = "requested"
        self._drop(ticket)

    def _send(self, ticket: ModelTicket) -> None:
        ticket.refund = ModelRefund(ticket.price, "requested")
        ticket.commands += 1
        self.commands.append(ticket)

    def _drop(self, ticket: ModelTicket) -> None:
        booking = ticket.booking
        if ticket.status not in OPEN:
            return
        ticket.become("cancelled")
        if booking.status in STANDING and all(each.status == "cancelled" for each in booking.tickets):
            booking.become("cancelled")
            booking.refund_amount = booking.paid - booking.left

    def _pay_back(self, booking: ModelBooking, rest: list[ModelTicket], back: int) -> None:
        if back and rest and back == sum(ticket.price for ticket in rest):
            for ticket in rest:
                self._send(ticket)
        elif back:
            booking.parts.append(ModelRefund(back, "manual"))


def _share(cents: int, percent: int) -> int:
    """Return that share, half a cent rounded up."""
    return (cents * percent * 2 + 100) // 200

"""What can still be paid back, and the rows and commands that pay it."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Q, Sum

from bookings.commands import RefundTicket
from bookings.models import Booking, Refund, RefundState, Ticket
from tickets_project.audit.acts import Act
from tickets_project.audit.recording import record, subject_of
from tickets_project.outbox.publishing import publish

NOTHING = Decimal("0.00")


def paid_for(booking: Booking) -> Decimal:
    """Return what was paid: the price of a confirmed booking; of the vendor's, what its tickets cost."""
    if not booking.is_sold_by_vendor:
        return booking.paid
    return Ticket.objects.filter(booking=booking).aggregate(paid=Sum("price_amount"))["paid"] or NOTHING


def refundable(booking: Booking) -> Decimal:
    """Return what was paid and is not on its way back; a failed refund still is, since it can be tried again."""
    going_back = Refund.objects.filter(booking=booking).aggregate(amount=Sum("amount"))["amount"]
    return paid_for(booking) - (going_back or NOTHING)


def refund_booking(booking: Booking, tickets: Sequence[Ticket], *, amount: Decimal, act: Act) -> None:
    """Pay an amount back: by the payments service when it is just what its tickets cost, else by a person."""
    refunded = set(Refund.objects.filter(ticket__in=tickets).values_list("ticket_id", flat=True))
    rest = [ticket for ticket in tickets if ticket.id not in refunded]
    if not amount:
        return
    if rest and amount == sum(ticket.price_amount for ticket in rest):
        for ticket in rest:
            send_refund(ticket, act)
    else:
        _add(act, booking=booking, amount=amount, currency=booking.price_currency, status=RefundState.MANUAL)


def send_refund(ticket: Ticket, act: Act) -> Refund:
    """Have a ticket's whole price paid back by the payments service."""
    refund = add_refund(ticket, act)
    publish(RefundTicket(ticket_id=str(ticket.id)))
    return refund


def add_refund(ticket: Ticket, act: Act) -> Refund:
    """Store that a ticket's whole price is to be paid back."""
    return _add(act, booking=ticket.booking, ticket=ticket, amount=ticket.price_amount, currency=ticket.price_currency)


def add_manual_refund(ticket: Ticket, act: Act, *, amount: Decimal) -> Refund:
    """Store that a person is to pay back a part of a ticket's price."""
    return _add(
        act,
        booking=ticket.booking,
        ticket=ticket,
        amount=amount,
        currency=ticket.price_currency,
        status=RefundState.MANUAL,
    )


def refund_of(ticket: Ticket) -> Refund | None:
    """Return the ticket's own refund, locked."""
    return Refund.objects.select_for_update().filter(Q(ticket=ticket)).first()


def _add(act: Act, **fields: object) -> Refund:
    refund = Refund(reason=act.reason, requested_at=act.at, requested_by=act.by, **fields)
    refund.save(force_insert=True)
    record("refund_requested", subject_of(refund), act.noting(amount=refund.amount), new=refund.status)
    return refund

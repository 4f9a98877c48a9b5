"""What can still be paid back, and the rows and commands that pay it."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Sum

from bookings.commands import RefundTicket
from bookings.models import Booking, Refund, RefundState, Ticket, TicketStatus
from bookings.refund_policy import share_of
from tickets_project.audit.acts import Act
from tickets_project.audit.recording import record, subject_of
from tickets_project.outbox.publishing import publish

NOTHING = Decimal("0.00")


def currency_of(booking: Booking) -> str:
    """Return in which currency a booking was paid: the vendor's tickets may be in another than its price."""
    if not booking.is_sold_by_vendor:
        return booking.price_currency
    first = Ticket.objects.filter(booking=booking).order_by("created_at", "id").first()
    return first.price_currency if first else booking.price_currency


def paid_for(booking: Booking, currency: str) -> Decimal:
    """Return what was paid: the price of a confirmed booking; of the vendor's, what its tickets cost."""
    if not booking.is_sold_by_vendor:
        return booking.paid if currency == booking.price_currency else NOTHING
    tickets = Ticket.objects.filter(booking=booking, price_currency=currency)
    return tickets.aggregate(paid=Sum("price_amount"))["paid"] or NOTHING


def going_back(booking: Booking, currency: str) -> Decimal:
    """Return what is paid back or on its way; a failed refund still is, since it can be tried again."""
    refunds = Refund.objects.filter(booking=booking, currency=currency)
    return refunds.aggregate(amount=Sum("amount"))["amount"] or NOTHING


def refundable(booking: Booking, currency: str) -> Decimal:
    """Return what was paid and is not on its way back."""
    return paid_for(booking, currency) - going_back(booking, currency)


def due_back(booking: Booking, act: Act, *, percent: int) -> Decimal:
    """Return that share of what was paid, leaving out what the tickets cost that have been settled by themselves."""
    currency = currency_of(booking)
    tickets = list(Ticket.objects.filter(booking=booking, price_currency=currency))
    settled = _cost(tickets) - _cost(unsettled(tickets, act))
    share = share_of(paid_for(booking, currency) - settled, percent)
    return max(NOTHING, min(share, refundable(booking, currency)))


def refundable_for(ticket: Ticket) -> Decimal:
    """Return what of the ticket's price can still be paid back."""
    if ticket.booking is None:
        return ticket.price_amount
    return max(NOTHING, min(ticket.price_amount, refundable(ticket.booking, ticket.price_currency)))


def unsettled(tickets: Sequence[Ticket], act: Act) -> list[Ticket]:
    """Return the tickets that cancelling their booking pays back: those that were not cancelled or refunded before."""
    refunded = set(Refund.objects.filter(ticket__in=tickets).values_list("ticket_id", flat=True))
    return [ticket for ticket in tickets if ticket.id not in refunded and not is_settled(ticket, act)]


def is_settled(ticket: Ticket, act: Act) -> bool:
    """Tell whether it is decided what goes back for a ticket: it is cancelled; or used, and then only staff pay it."""
    is_used = ticket.status == TicketStatus.REDEEMED
    return ticket.status == TicketStatus.CANCELLED or (is_used and not act.as_staff)


def refund_booking(booking: Booking, rest: Sequence[Ticket], *, amount: Decimal, act: Act) -> None:
    """Pay an amount back: by the payments service when it is just what the rest of its tickets cost, else by a person.

    :param rest: its unsettled tickets
    """
    if not amount:
        return
    currency = currency_of(booking)
    rest = [ticket for ticket in rest if ticket.price_currency == currency]
    if rest and amount == _cost(rest):
        for ticket in rest:
            send_refund(ticket, act)
    else:
        _add(act, booking=booking, amount=amount, currency=currency, status=RefundState.MANUAL)


def send_refund(ticket: Ticket, act: Act) -> Refund:
    """Have a ticket's whole price paid back by the payments service."""
    refund = add_refund(ticket, act, amount=ticket.price_amount)
    publish(RefundTicket(ticket_id=str(ticket.id)))
    return refund


def add_refund(ticket: Ticket, act: Act, *, amount: Decimal) -> Refund:
    """Store that a ticket's whole price is to be paid back, or that a person is to pay back a part of it."""
    # The payments service takes no amount.
    status = RefundState.REQUESTED if amount == ticket.price_amount else RefundState.MANUAL
    return _add(
        act, booking=ticket.booking, ticket=ticket, amount=amount, currency=ticket.price_currency, status=status
    )


def refund_of(ticket: Ticket) -> Refund | None:
    """Return the ticket's own refund, locked."""
    return Refund.objects.select_for_update().filter(ticket=ticket).first()


def _cost(tickets: Sequence[Ticket]) -> Decimal:
    return sum((ticket.price_amount for ticket in tickets), NOTHING)


def _add(act: Act, **fields: object) -> Refund:
    refund = Refund(reason=act.reason, requested_at=act.at, requested_by=act.by, **fields)
    refund.save(force_insert=True)
    record("refund_requested", subject_of(refund), act.noting(amount=refund.amount), new=refund.status)
    return refund

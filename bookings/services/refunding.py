"""Refunds of tickets: asked for by their owner, by staff, or by another app, and brought to their end."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from bookings import notices, refund_policy
from bookings.commands import RefundTicket
from bookings.errors import NothingToRefund, RefundAlreadyRequested, RefundNotManual
from bookings.events import TicketRefundedV1
from bookings.models import Receipt, Refund, RefundState, Ticket
from bookings.services.cancelling import cancel_ticket
from bookings.services.locking import locked_ticket_with_show
from bookings.services.refund_rows import add_manual_refund, add_refund, refund_of, refundable, send_refund
from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish


@transaction.atomic
def request_refund(*, ticket_id: UUID, act: Act) -> Refund:
    """Ask for a ticket's money: it is cancelled if it is open, and the policy's share is paid back.

    The whole price is paid back by the payments service, a part by a person. A refund that failed is tried again.

    :raises Ticket.DoesNotExist: if there is no such ticket
    :raises RefundAlreadyRequested: if its money is on its way, or back
    :raises NothingToRefund: if the policy or what is left says nothing
    """
    ticket = locked_ticket_with_show(ticket_id)
    if refund := refund_of(ticket):
        return _try_again(refund, act)
    amount = _amount_for(ticket, act)
    if amount <= 0:
        raise NothingToRefund(current_status=ticket.status)
    if amount == ticket.price_amount:
        refund = send_refund(ticket, act)
    else:
        refund = add_manual_refund(ticket, act, amount=amount)
    cancel_ticket(ticket, act, refund_amount=amount)
    return refund


@transaction.atomic
def begin_refund(*, ticket_id: UUID, act: Act) -> Refund:
    """Return the refund that a RefundTicket command is about, made if nobody asked before; the ticket is cancelled.

    :raises Ticket.DoesNotExist: if there is no such ticket
    """
    ticket = locked_ticket_with_show(ticket_id)
    refund = refund_of(ticket)
    if refund is None:
        refund = add_refund(ticket, act)
    elif refund.status == RefundState.FAILED:
        refund.try_again(act=act)
        refund.save()
    cancel_ticket(ticket, act, refund_amount=refund.amount)
    return refund


@transaction.atomic
def record_voided(*, refund_id: UUID, act: Act) -> None:
    """Note that the refund's ticket has no valid receipt any more; a second note does nothing."""
    refund = Refund.objects.select_for_update().get(id=refund_id)
    if refund.status == RefundState.REQUESTED:
        refund.void_receipt(act=act)
        refund.save()
    Receipt.objects.filter(ticket_id=refund.ticket_id, voided_at=None).update(voided_at=act.at)


@transaction.atomic
def record_refunded(*, refund_id: UUID, act: Act) -> None:
    """Note that the payments service has paid, announce it and tell the customer; a second note does nothing."""
    refund = Refund.objects.select_for_update().get(id=refund_id)
    if refund.status == RefundState.REFUNDED:
        return
    refund.finish(act=act)
    refund.save()
    publish(TicketRefundedV1(ticket_id=str(refund.ticket_id)))
    notices.refund_processed(refund, act)


@transaction.atomic
def record_refused(*, refund_id: UUID, act: Act) -> None:
    """Note that a service refused the refund for good; the act's reason says what it answered."""
    refund = Refund.objects.select_for_update().get(id=refund_id)
    refund.fail(act=act)
    refund.save()


@transaction.atomic
def mark_paid(*, refund_id: UUID, act: Act) -> Refund:
    """Note that a person has paid a manual refund, and tell the customer.

    :raises Refund.DoesNotExist: if there is no such refund
    :raises RefundNotManual: if it is of another kind, or paid
    """
    refund = Refund.objects.select_for_update(of=["self"]).select_related("booking", "ticket").get(id=refund_id)
    if refund.status != RefundState.MANUAL:
        raise RefundNotManual(current_status=refund.status)
    refund.pay(act=act)
    refund.save()
    notices.refund_processed(refund, act)
    return refund


def _try_again(refund: Refund, act: Act) -> Refund:
    if refund.status != RefundState.FAILED:
        raise RefundAlreadyRequested(current_status=refund.status)
    refund.try_again(act=act)
    refund.save()
    publish(RefundTicket(ticket_id=str(refund.ticket_id)))
    return refund


def _amount_for(ticket: Ticket, act: Act) -> Decimal:
    booking = ticket.booking
    if booking is None:
        return ticket.price_amount if act.as_staff else Decimal("0.00")
    percent = refund_policy.percentage(start=booking.start_time, at=act.at, as_staff=act.as_staff)
    return min(refund_policy.share_of(ticket.price_amount, percent), refundable(booking))

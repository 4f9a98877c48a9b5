"""Refunds of tickets: asked for by their owner, by staff, or by another app, and brought to their end."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from bookings import notices, refund_policy
from bookings.commands import RefundTicket
from bookings.errors import NothingToRefund, RefundAlreadyRequested, RefundNotManual
from bookings.models import BookingStatus, Receipt, Refund, RefundState, Ticket
from bookings.services import announcing
from bookings.services.cancelling import cancel_ticket
from bookings.services.locking import locked_ticket_with_show
from bookings.services.refund_rows import NOTHING, add_refund, is_settled, refund_of, refundable_for, send_refund
from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish

IN_PROGRESS = (RefundState.REQUESTED, RefundState.RECEIPT_VOIDED)
"""The states of a refund that the payments service is still to pay."""


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
    if not amount:
        raise NothingToRefund(current_status=ticket.status)
    whole = amount == ticket.price_amount
    refund = send_refund(ticket, act) if whole else add_refund(ticket, act, amount=amount)
    cancel_ticket(ticket, act, refund_amount=amount)
    return refund


@transaction.atomic
def begin_refund(*, ticket_id: UUID, act: Act) -> Refund | None:
    """Return the refund that a RefundTicket command is about, made if nobody asked before; the ticket is cancelled.

    Only what is left of its booking's money goes back, a part of its price by a person; None when nothing is left.

    :raises Ticket.DoesNotExist: if there is no such ticket
    """
    ticket = locked_ticket_with_show(ticket_id)
    refund = refund_of(ticket) or _refund_what_is_left(ticket, act)
    if refund and refund.status == RefundState.FAILED:
        _reopen(refund, act)
    cancel_ticket(ticket, act, refund_amount=refund.amount if refund else None)
    return refund


@transaction.atomic
def record_voided(*, refund_id: UUID, act: Act) -> None:
    """Note that the refund's ticket has no valid receipt any more; a second note does nothing."""
    refund = Refund.objects.select_for_update().get(id=refund_id)
    if refund.status == RefundState.REQUESTED:
        refund.void_receipt(act=act)
        refund.save()
    Receipt.objects.filter(ticket__refunds=refund, voided_at=None).update(voided_at=act.at)


@transaction.atomic
def record_refunded(*, refund_id: UUID, act: Act) -> None:
    """Note that the payments service has paid, announce it and tell the customer; a second note does nothing."""
    refund = Refund.objects.select_for_update().get(id=refund_id)
    if refund.status == RefundState.REFUNDED:
        return
    if refund.status == RefundState.FAILED:
        # Another delivery about the ticket was refused while this one was paid.
        _reopen(refund, act)
    refund.finish(act=act)
    refund.save()
    publish(announcing.ticket_refunded(refund))
    notices.refund_processed(refund, act)


@transaction.atomic
def record_refused(*, refund_id: UUID, act: Act) -> None:
    """Note that a service refused the refund for good; the act's reason says what it answered.

    One that was paid meanwhile, or is noted as refused, stays as it is.
    """
    refund = Refund.objects.select_for_update().get(id=refund_id)
    if refund.status in IN_PROGRESS:
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
    _reopen(refund, act)
    publish(RefundTicket(ticket_id=str(refund.ticket_id)))
    return refund


def _reopen(refund: Refund, act: Act) -> None:
    refund.try_again(act=act)
    refund.save()


def _refund_what_is_left(ticket: Ticket, act: Act) -> Refund | None:
    amount = refundable_for(ticket)
    return add_refund(ticket, act, amount=amount) if amount or not ticket.price_amount else None


def _amount_for(ticket: Ticket, act: Act) -> Decimal:
    """Return what asking for the ticket's money pays back."""
    if act.as_staff:
        return refundable_for(ticket)
    booking = ticket.booking
    # What a customer gets for a cancelled booking was decided when it was cancelled.
    if booking is None or booking.status == BookingStatus.CANCELLED or is_settled(ticket, act):
        return NOTHING
    percent = refund_policy.percentage(start=booking.start_time, at=act.at, as_staff=False)
    return min(refund_policy.share_of(ticket.price_amount, percent), refundable_for(ticket))

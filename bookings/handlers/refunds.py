"""Refunds: the receipt is voided, then the payment is refunded."""

from functools import partial
from uuid import UUID

import structlog
from django.utils import timezone

from bookings.commands import RefundTicket
from bookings.models import Refund, Ticket
from bookings.services import refunding
from bookings.services.receipts import receipt_of
from tickets_project.audit.acts import Act
from tickets_project.gateway import payments, receipts
from tickets_project.gateway.errors import PermanentUpstreamError
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.subscriptions import Recording

_NO_REASON = "customer refund"

_log = structlog.get_logger(__name__)


def refund_ticket(message: RefundTicket) -> Recording | None:
    """Void the ticket's receipt, then have its payment refunded; both once, however often it is asked for.

    :raises NotYet: if the ticket is not known yet, or its receipt is being issued
    """
    ticket_id = UUID(message.ticket_id)
    refund = _begun(ticket_id)
    if refund is None or refund.status not in refunding.IN_PROGRESS:
        _log.info("nothing to pay back", ticket_id=str(ticket_id), refund=refund and refund.status)
        return None
    try:
        _void_receipt(ticket_id, refund)
        _pay(ticket_id, refund)
    except PermanentUpstreamError as error:
        refunding.record_refused(refund_id=refund.id, act=_act(str(error)))
        raise
    return partial(refunding.record_refunded, refund_id=refund.id, act=_act(refund.reason))


def _begun(ticket_id: UUID) -> Refund | None:
    try:
        return refunding.begin_refund(ticket_id=ticket_id, act=_act())
    except Ticket.DoesNotExist as error:
        raise NotYet(f"There is no ticket {ticket_id} yet.") from error


def _void_receipt(ticket_id: UUID, refund: Refund) -> None:
    """Leave the ticket no valid receipt; one that was never asked for will never be issued."""
    receipt = receipt_of(ticket_id)
    if receipt is None:
        return
    if not receipt.number:
        raise NotYet(f"The receipt of ticket {ticket_id} is being issued.")
    if not receipt.voided_at:
        receipts.void(ticket_id=str(ticket_id), reason=_reason(refund), idempotent_id=f"{ticket_id}:void")
    refunding.record_voided(refund_id=refund.id, act=_act(refund.reason))


def _pay(ticket_id: UUID, refund: Refund) -> None:
    payments.refund(payment_reference=str(ticket_id), reason=_reason(refund), deduplication_id=f"{ticket_id}:refund")


def _reason(refund: Refund) -> str:
    return refund.reason or _NO_REASON


def _act(reason: str = "") -> Act:
    return Act(at=timezone.now(), automatic="refunds", reason=reason)

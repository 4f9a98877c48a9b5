"""Receipts: asked for once per ticket, and noted when the service has issued them."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from bookings.events import TicketReceiptIssuedV1
from bookings.models import Receipt, RefundState, Ticket, TicketStatus
from bookings.services.locking import locked_ticket
from tickets_project.outbox.publishing import publish


@transaction.atomic
def ask_for_receipt(*, ticket_id: UUID, at: datetime) -> bool:
    """Note that the service is about to be asked; False when the ticket has its receipt, or is to have none.

    What was asked for before is asked for again, whatever became of the ticket: the service may have issued it.

    :raises Ticket.DoesNotExist: if there is no such ticket
    """
    ticket = locked_ticket(ticket_id)
    if receipt := receipt_of(ticket_id):
        return not receipt.number
    if _called_off(ticket_id).exists():
        return False
    Receipt.objects.create(ticket=ticket, asked_at=at)
    return True


@transaction.atomic
def record_issued(*, ticket_id: UUID, number: str, issued_at: datetime, voided_at: datetime | None) -> None:
    """Note the receipt's number, and whether it is void already, and announce it; a second note does nothing.

    :param issued_at: the service's time
    """
    unanswered = Receipt.objects.filter(ticket_id=ticket_id, number="")
    if unanswered.update(number=number, issued_at=issued_at):
        publish(TicketReceiptIssuedV1(ticket_id=str(ticket_id), receipt_number=number, issued_at=issued_at))
    if voided_at:
        Receipt.objects.filter(ticket_id=ticket_id, voided_at=None).update(voided_at=voided_at)


def receipt_of(ticket_id: UUID) -> Receipt | None:
    """Return the ticket's receipt, which has no number until the service has answered."""
    return Receipt.objects.filter(ticket_id=ticket_id).first()


def is_left_valid(ticket_id: UUID) -> bool:
    """Tell whether a receipt would stay valid although the ticket is called off: no refund is on its way to void it."""
    return _called_off(ticket_id).exclude(refunds__status=RefundState.REQUESTED).exists()


def _called_off(ticket_id: UUID) -> QuerySet[Ticket]:
    """Return the ticket if it is to have no valid receipt: it is cancelled, or its money goes back."""
    off = Q(status=TicketStatus.CANCELLED) | Q(refunds__isnull=False)
    return Ticket.objects.filter(off, id=ticket_id)

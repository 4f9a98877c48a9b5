"""Receipts: each ticket of a confirmed booking gets one."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.utils import timezone

from bookings.events import TicketBookingConfirmedV1
from bookings.models import Ticket
from bookings.services.receipts import ask_for_receipt, is_left_valid, record_issued
from tickets_project.gateway import receipts
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.subscriptions import Recording


def issue_receipt(message: TicketBookingConfirmedV1) -> Recording | None:
    """Have the receipts service issue the ticket's receipt, unless the ticket is cancelled or refunded.

    :raises NotYet: if the ticket is not known yet
    """
    ticket_id = UUID(message.ticket_id)
    try:
        asked = ask_for_receipt(ticket_id=ticket_id, at=timezone.now())
    except Ticket.DoesNotExist as error:
        raise NotYet(f"There is no ticket {ticket_id} yet.") from error
    if not asked:
        return None
    issued = receipts.issue(ticket_id=str(ticket_id), price=message.price, idempotency_key=f"{ticket_id}:receipt")
    voided_at = _void_if_left_valid(ticket_id)
    return partial(
        record_issued, ticket_id=ticket_id, number=issued.number, issued_at=issued.issued_at, voided_at=voided_at
    )


def _void_if_left_valid(ticket_id: UUID) -> datetime | None:
    """Void the receipt of a ticket that was called off while the service was asked, unless its refund does."""
    if not is_left_valid(ticket_id):
        return None
    receipts.void(ticket_id=str(ticket_id), reason="ticket cancelled or refunded", idempotent_id=f"{ticket_id}:void")
    return timezone.now()

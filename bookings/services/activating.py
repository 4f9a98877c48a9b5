"""Activating tickets: with their code by the owner, or by staff."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from bookings import codes, notices
from bookings.errors import TicketNotPending, WrongActivationCode
from bookings.models import Ticket, TicketStatus
from bookings.services import announcing
from bookings.services.locking import locked_ticket
from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish


@transaction.atomic
def activate_ticket(*, ticket_id: UUID, act: Act, code: str | None) -> Ticket:
    """Activate a pending ticket and send its holder the QR code.

    Staff give any code, which replaces the ticket's own, or none; the owner gives the ticket's.

    :raises Ticket.DoesNotExist: if there is no such ticket
    :raises TicketNotPending: if it is in another state
    :raises WrongActivationCode: if the owner gives another code
    """
    ticket = locked_ticket(ticket_id)
    if ticket.status != TicketStatus.PENDING:
        raise TicketNotPending(current_status=ticket.status)
    if not act.as_staff and not _is_code_of(ticket, code or ""):
        raise WrongActivationCode(current_status=ticket.status)
    given = code if act.as_staff else None
    activate(ticket, act, code=given or ticket.activation_code or codes.activation_code())
    return ticket


def activate(ticket: Ticket, act: Act, *, code: str) -> None:
    """Activate a pending ticket that is locked or new."""
    valid_from, valid_until = validity(ticket, at=act.at)
    noted = act.noting(activation_code=code, ticket_type=ticket.ticket_type.name)
    ticket.activate(act=noted, code=code, valid_from=valid_from, valid_until=valid_until)
    ticket.save()
    publish(announcing.ticket_activated(ticket, act))
    notices.ticket_activated(ticket, act)


def _is_code_of(ticket: Ticket, code: str) -> bool:
    # A ticket without a code of its own has none that fits, least of all an empty one.
    given = codes.tidied(code)
    return bool(given) and given == codes.tidied(ticket.activation_code)


def validity(ticket: Ticket, *, at: datetime) -> tuple[datetime, datetime | None]:
    """Return from when until when a ticket activated at that time lets its holder in.

    For its type's days; else from the doors to the end; without end when nobody knows its booking.
    """
    if days := ticket.ticket_type.valid_days:
        return at, at + timedelta(days=days)
    if ticket.booking is None:
        return at, None
    return ticket.booking.valid_from, ticket.booking.over_at

"""What becomes of tickets besides: they are printed, and they expire."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from bookings.models import Ticket, TicketStatus
from bookings.services import announcing
from bookings.services.locking import locked_ticket
from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish

# In SQL, since it is done for each ticket, and the ORM takes longer to build this than it takes to run.
_NOTE_PRINTED = "UPDATE bookings_ticket SET printed_at = %s, file_name = %s WHERE id = %s AND printed_at IS NULL"


def record_printed(*, ticket_id: UUID, file_name: str, at: datetime) -> None:
    """Note that the ticket's document is in the files service; the first note stays."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_PRINTED, [at, file_name, ticket_id])


@transaction.atomic
def expire_ticket(*, ticket_id: UUID, act: Act) -> Ticket:
    """Expire an active ticket whose time is over; any other stays as it is.

    :raises Ticket.DoesNotExist: if there is no such ticket
    """
    ticket = locked_ticket(ticket_id)
    if ticket.status == TicketStatus.ACTIVE and is_over(ticket, at=act.at):
        expire(ticket, act)
    return ticket


def expire(ticket: Ticket, act: Act) -> None:
    """Expire a locked, active ticket, and announce it."""
    ticket.expire(act=act)
    ticket.save()
    publish(announcing.ticket_expired(ticket, act))


def is_over(ticket: Ticket, *, at: datetime) -> bool:
    """Tell whether the ticket's time is over."""
    return ticket.valid_until is not None and ticket.valid_until <= at

"""What printing does when a message arrives."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.utils import timezone

from bookings.events import TicketBookingConfirmedV1
from printing import queries, services
from printing.documents import TicketDocument, file_name_of, render
from tickets_project.gateway import files
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.subscriptions import Recording


def print_ticket(
    message: TicketBookingConfirmedV1, *, find: Callable[[UUID], TicketDocument | None]
) -> Recording | None:
    """Store the ticket's document in the files service; a document that is there already counts as stored.

    :raises NotYet: if the ticket is not known yet
    """
    ticket_id = UUID(message.ticket_id)
    if queries.is_printed(ticket_id):
        return None
    document = find(ticket_id)
    if document is None:
        raise NotYet(f"There is no ticket {ticket_id} yet.")
    file_name = file_name_of(message.ticket_id)
    files.store(file_name, render(document))
    return partial(
        services.record_printed,
        ticket_id=ticket_id,
        booking_id=message.booking_id,
        file_name=file_name,
        at=timezone.now(),
    )

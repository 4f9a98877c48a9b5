"""Writes of printing."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from printing.events import TicketPrintedV1
from printing.models import PrintedTicket
from printing.queries import is_printed
from tickets_project.outbox.publishing import publish


@transaction.atomic(savepoint=False)
def record_printed(*, ticket_id: UUID, file_name: str, at: datetime) -> None:
    """Note that the document is stored, and announce it; a second note for the ticket does nothing.

    :raises IntegrityError: if another transaction notes it at this very moment
    """
    if is_printed(ticket_id):
        return
    PrintedTicket.objects.create(ticket_id=ticket_id, file_name=file_name, printed_at=at)
    publish(TicketPrintedV1(ticket_id=str(ticket_id), file_name=file_name))

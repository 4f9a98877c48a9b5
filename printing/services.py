"""Writes of printing."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from printing.events import TicketPrintedV1
from printing.models import PrintedTicket
from tickets_project.outbox.publishing import publish


@transaction.atomic(savepoint=False)
def record_printed(*, ticket_id: UUID, file_name: str, at: datetime) -> None:
    """Note that the document is stored, and announce it.

    :raises IntegrityError: if it was noted in the meantime; whoever asks again finds `is_printed`
    """
    PrintedTicket.objects.create(ticket_id=ticket_id, file_name=file_name, printed_at=at)
    publish(TicketPrintedV1(ticket_id=str(ticket_id), file_name=file_name))

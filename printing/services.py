"""Writes of printing."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from printing.events import TicketPrintedV1
from tickets_project.outbox.publishing import publish

_NOTE = """
    INSERT INTO printing_printedticket (ticket_id, file_name, printed_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""


@transaction.atomic(savepoint=False)
def record_printed(*, ticket_id: UUID, booking_id: str, file_name: str, at: datetime) -> None:
    """Note that the document is stored, and announce it; a second note for the ticket does nothing."""
    # In SQL, since Django does not tell whether a row that may conflict was inserted.
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [ticket_id, file_name, at])
        is_new = cursor.rowcount == 1
    if is_new:
        publish(TicketPrintedV1(ticket_id=str(ticket_id), file_name=file_name, booking_id=booking_id))

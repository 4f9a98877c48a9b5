"""Reads of printing."""

from uuid import UUID

from django.db import connection

# In SQL, since it is asked for each ticket, and the ORM takes longer to build this than it takes to run.
_IS_PRINTED = "SELECT FROM printing_printedticket WHERE ticket_id = %s"


def is_printed(ticket_id: UUID) -> bool:
    """Tell whether the ticket's document is known to be stored."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_PRINTED, [ticket_id])
        return cursor.fetchone() is not None

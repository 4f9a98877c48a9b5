"""Reads of printing."""

from uuid import UUID

from printing.models import PrintedTicket


def is_printed(ticket_id: UUID) -> bool:
    """Tell whether the ticket's document is known to be stored."""
    return PrintedTicket.objects.filter(ticket_id=ticket_id).exists()

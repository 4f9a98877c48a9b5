"""Tickets that printing has printed."""

from uuid import UUID

from bookings import services
from printing.events import TicketPrintedV1


def record_printed(message: TicketPrintedV1) -> None:
    """Show the ticket as printed."""
    services.record_printed(
        ticket_id=UUID(message.ticket_id), file_name=message.file_name, at=message.header.published_at
    )

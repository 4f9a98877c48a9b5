"""What is told of a bundle's tickets after their confirmation."""

from uuid import UUID

from bookings.events import TicketRefundedV1
from printing.events import TicketPrintedV1
from vip_bundles import services


def record_printed(message: TicketPrintedV1) -> None:
    """Show the ticket as printed."""
    if message.booking_id:
        services.record_printed(
            ticket_id=UUID(message.ticket_id),
            booking_id=UUID(message.booking_id),
            file_name=message.file_name,
            at=message.header.published_at,
        )


def record_refunded(message: TicketRefundedV1) -> None:
    """Show the ticket as refunded."""
    if message.booking_id:
        services.record_refunded(
            ticket_id=UUID(message.ticket_id), booking_id=UUID(message.booking_id), at=message.header.published_at
        )

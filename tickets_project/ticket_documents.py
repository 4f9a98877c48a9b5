"""Where bookings meet printing: neither knows the other, so this adapter tells what is on a ticket."""

from uuid import UUID

from django.conf import settings

from bookings.queries import ticket_with_show
from printing.documents import TicketDocument


def find_ticket_document(ticket_id: UUID) -> TicketDocument | None:
    """Return what is printed on the ticket, None when there is no such ticket."""
    ticket = ticket_with_show(ticket_id)
    if ticket is None:
        return None
    show = ticket.booking.show
    return TicketDocument(
        ticket_id=str(ticket.id),
        title=show.title,
        venue=show.venue,
        starts_at=show.start_time,
        time_zone=settings.TICKETS_TIME_ZONE,
        holder=ticket.customer_email,
        ticket_type=ticket.ticket_type.name,
        price=ticket.price,
        code=ticket.redemption_code,
        confirmation_code=ticket.booking.confirmation_code or "",
        organiser=settings.TICKETS_ORGANISER,
        contact=settings.TICKETS_CONTACT,
    )

"""Where bookings meet printing: neither knows the other, so this adapter tells what is on a ticket."""

from uuid import UUID

from django.conf import settings

from bookings.queries import ticket_facts
from printing.documents import TicketDocument
from tickets_project.values import Money


def find_ticket_document(ticket_id: UUID) -> TicketDocument | None:
    """Return what is printed on the ticket, None when there is no such ticket."""
    facts = ticket_facts(ticket_id)
    if facts is None:
        return None
    return TicketDocument(
        ticket_id=str(ticket_id),
        # The vendor sells tickets of bookings that nobody here knows: they are printed with what is known.
        title=facts["title"] or f"Vendor booking {facts['vendor_booking_id']}",
        venue=facts["venue"] or "",
        starts_at=facts["start_time"],
        time_zone=settings.TICKETS_TIME_ZONE,
        holder=facts["customer_email"],
        ticket_type=facts["type_name"],
        price=Money(amount=facts["price_amount"], currency=facts["price_currency"]),
        code=facts["redemption_code"],
        confirmation_code=facts["confirmation_code"] or "",
        organiser=settings.TICKETS_ORGANISER,
        contact=settings.TICKETS_CONTACT,
    )

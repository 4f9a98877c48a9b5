"""The ticket on paper: one HTML page that needs nothing but itself."""

from dataclasses import dataclass
from datetime import datetime

from django.template.loader import get_template
from django.utils.safestring import mark_safe

from tickets_project.local_times import local_time
from tickets_project.qr_codes import in_fours, qr_svg
from tickets_project.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDocument:
    """What is printed on a ticket; `starts_at` is shown in `time_zone`, an IANA name.

    The venue, the start and the confirmation code are left out when they are not known.
    """

    ticket_id: str
    title: str
    venue: str
    starts_at: datetime | None
    time_zone: str
    holder: str
    ticket_type: str
    price: Money
    code: str
    confirmation_code: str
    organiser: str
    contact: str


def file_name_of(ticket_id: str) -> str:
    """Return the document's name in the files service."""
    return f"{ticket_id}-ticket.html"


def render(ticket: TicketDocument) -> str:
    """Return the document as HTML, with everything in it escaped."""
    return get_template("printing/ticket.html").render(
        {
            "ticket": ticket,
            "starts_at": local_time(ticket.starts_at, ticket.time_zone) if ticket.starts_at else "",
            "code": in_fours(ticket.code),
            # Squares alone: the text itself is not in it.
            "qr": mark_safe(qr_svg(ticket.code)),  # noqa: S308
        }
    )

"""The ticket on paper: one HTML page that needs nothing but itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import segno
from django.template.loader import get_template
from django.utils.safestring import mark_safe

from tickets_project.values import Money

# Trying all eight masks costs four times as much, and any of them scans.
_QR_MASK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDocument:
    """What is printed on a ticket; `starts_at` is shown in `time_zone`, an IANA name."""

    ticket_id: str
    title: str
    venue: str
    starts_at: datetime
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
            "starts_at": local_time(ticket.starts_at, ticket.time_zone),
            "code": " ".join(ticket.code[start : start + 4] for start in range(0, len(ticket.code), 4)),
            # Made of squares alone: segno writes nothing of the text into the picture.
            "qr": mark_safe(qr_svg(ticket.code)),  # noqa: S308
        }
    )


def local_time(at: datetime, time_zone: str) -> str:
    """Return a time as people at the door read it: Saturday 2 May 2026, 20:00 (Europe/Madrid, UTC+02:00)."""
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} ({time_zone}, {_offset(local)})"


def _offset(at: datetime) -> str:
    minutes = int((at.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def qr_svg(code: str) -> str:
    """Return the code as a QR picture: an SVG element without a size of its own."""
    symbol = segno.make_qr(code, error="m", mask=_QR_MASK)
    return symbol.svg_inline(border=4, omitsize=True, svgclass="qr", lineclass=None)

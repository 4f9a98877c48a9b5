"""What the pages of tickets and of bookings show of a ticket."""

from collections.abc import Iterable, Sequence

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from bookings.models import Booking, Ticket
from tickets_project.admin_site.display import Badges, Section, day, link, moment
from tickets_project.outbox.admin.explaining import deliveries_about, why
from tickets_project.outbox.models import Delivery, Status
from tickets_project.qr_codes import qr_svg

BADGES = Badges(
    {"pending": "info", "active": "success", "redeemed": "primary", "expired": "warning", "cancelled": "danger"}
)
PRINTED = Badges(
    {
        "printed": "success",
        "waiting": "info",
        "parked": "danger",
        "discarded": "warning",
        "nothing on its way": "danger",
    }
)
# What needs a person comes first; what was discarded says so only when nothing else is left.
BY_URGENCY = {Status.PARKED: "parked", Status.PENDING: "waiting", Status.DISCARDED: "discarded"}
# The handlers that print and that tell of it; a key never changes.
ON_THE_WAY = {"printing.print_ticket", "bookings.record_printed"}


def ticket_section(tickets: Sequence[Ticket], *, note: str = "") -> Section:
    """Return tickets as a table: each printed, or waiting and why."""
    rows = [
        [
            link("bookings_ticket_change", ticket, ticket.pk),
            BADGES.show(ticket.status),
            printed(ticket),
            document_link(ticket),
        ]
        for ticket in with_deliveries(tickets)
    ]
    return Section(title="Tickets", headers=["code", "status", "printed", "document"], rows=rows, note=note)


def title_and_day(booking: Booking | None) -> SafeString:
    """Return what is booked for which day, on two lines."""
    if booking is None:
        return SafeString("-")
    return format_html("{}<br>{}", booking.title, day(booking.start_time))


def booking_link(booking: Booking | None) -> SafeString:
    """Lead to a booking; the vendor's tickets may have none."""
    return link("bookings_booking_change", booking, booking.pk) if booking else SafeString("none of ours")


def place(booking: Booking) -> SafeString:
    """Lead to the show or the resource that is booked."""
    if booking.show:
        return link("bookings_show_change", booking.title, booking.show_id)
    return link("bookings_resource_change", booking.title, booking.resource_id)


def with_deliveries(tickets: Iterable[Ticket]) -> list[Ticket]:
    """Hang on each ticket what is not delivered on the way to its document."""
    rows = list(tickets)
    waiting = deliveries_about([str(ticket.pk) for ticket in rows if not ticket.printed_at])
    for ticket in rows:
        about_it = waiting.get(str(ticket.pk), [])
        ticket.deliveries = [delivery for delivery in about_it if delivery.handler in ON_THE_WAY]  # type: ignore[attr-defined] # for this page
    return rows


def printed(ticket: Ticket) -> SafeString:
    """Tell when it was printed, or what its document waits for; the ticket comes from with_deliveries."""
    if ticket.printed_at:
        return format_html("{} {}", PRINTED.show("printed"), moment(ticket.printed_at))
    deliveries: list[Delivery] = ticket.deliveries  # type: ignore[attr-defined] # likewise
    if not deliveries:
        return PRINTED.show("nothing on its way")
    urgency = list(BY_URGENCY)
    worst = min(deliveries, key=lambda delivery: (urgency.index(Status(delivery.status)), delivery.pk))
    badge = PRINTED.show(BY_URGENCY[Status(worst.status)])
    return format_html("{} {}", badge, link("outbox_delivery_change", why(worst, at=timezone.now()), worst.pk))


def document_link(ticket: Ticket) -> SafeString | str:
    """Lead to the stored document."""
    return link("bookings_ticket_document", ticket.file_name, ticket.pk) if ticket.file_name else "-"


def qr(ticket: Ticket) -> SafeString:
    """Show what a scanner reads."""
    # Squares alone: the text itself is not in it.
    picture = mark_safe(qr_svg(ticket.redemption_code))  # noqa: S308
    return format_html('<div style="width: 10rem; background: white">{}</div>', picture)

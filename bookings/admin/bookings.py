"""Bookings: read, with everything that is known of them; what staff ask of them is in booking_requests."""

from django.contrib import admin
from django.db.models import Q
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from bookings.admin.booking_requests import BookingRequests
from bookings.admin.refund_cells import refund_section
from bookings.admin.ticket_cells import place, ticket_section
from bookings.models import Booking
from bookings.services.refund_rows import currency_of
from tickets_project.admin_site.display import Badges, Section, column, moment_column
from tickets_project.admin_site.filters import choice_filter
from tickets_project.admin_site.pages import uuid_in
from tickets_project.audit.history import history_of
from tickets_project.notifications.admin import notification_section
from tickets_project.outbox.admin.explaining import messages_about

BADGES = Badges(
    {"pending": "info", "confirmed": "success", "completed": "success", "no_show": "warning", "cancelled": "danger"}
)
STATUS = column("status", lambda row: BADGES.show(row.status))
WHAT = column("what", place)
STARTS = moment_column("start_time", "starts")
MOST_TICKETS = 100

KindFilter = choice_filter(
    "kind",
    lambda: [("show", "shows"), ("resource", "resources")],
    lambda kind: Q(resource__isnull=kind != "resource"),
)


def _refund(row: Booking) -> str:
    """Tell what its cancellation pays back."""
    return f"{row.refund_amount:.2f} {currency_of(row)}"


LATER = {
    "payment_id": column("payment", lambda row: row.payment_id),
    "confirmed_at": moment_column("confirmed_at"),
    "completed_at": moment_column("completed_at"),
    "no_show_at": moment_column("no_show_at", "no-show"),
    "cancelled_at": moment_column("cancelled_at"),
    "cancellation_reason": column("why cancelled", lambda row: row.cancellation_reason),
    "refund_amount": column("refund", _refund),
}


@admin.register(Booking)
class BookingAdmin(BookingRequests):
    """Seats of a show, or a resource for a time, for a customer."""

    list_display = ["__str__", "customer_email", WHAT, STARTS, "number_of_tickets", STATUS, moment_column("created_at")]
    list_filter = [("status", ChoicesDropdownFilter), KindFilter]
    list_select_related = ["show", "resource"]
    search_fields = ["id", "customer_email", "confirmation_code"]
    search_help_text = "E-mail address, confirmation code or id"
    ordering = ["-created_at", "-id"]
    fields = [
        "id",
        "confirmation_code",
        STATUS,
        WHAT,
        STARTS,
        moment_column("end_time", "ends"),
        "customer_email",
        "owner",
        "number_of_tickets",
        "price",
        moment_column("created_at"),
        *LATER.values(),
    ]
    later = LATER
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return the bookings with this id, e-mail address or confirmation code; each has its index."""
        if "@" in text:
            return Q(customer_email__iexact=text)
        booking_id = uuid_in(text)
        return Q(id=booking_id) if booking_id else Q(confirmation_code=text.upper())

    def sections(self, row: Booking) -> list[Section]:
        """Return its tickets and refunds, and what was done, told and published about it and them."""
        tickets = list(row.tickets.order_by("created_at", "id")[:MOST_TICKETS])
        note = f"The first {MOST_TICKETS}." if row.number_of_tickets > len(tickets) == MOST_TICKETS else ""
        refunds = list(row.refunds.select_related("ticket").order_by("-requested_at", "-id"))
        about = [str(row.pk), *(str(ticket.pk) for ticket in tickets)]
        return [
            ticket_section(tickets, note=note),
            *([refund_section(refunds)] if refunds else []),
            history_of([*about, *(str(refund.pk) for refund in refunds)]),
            notification_section(about),
            messages_about(about),
        ]

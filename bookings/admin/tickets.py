"""Tickets: read, with what is printed and what waits and why; what staff ask of them is in ticket_requests."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from bookings.admin.refund_cells import refund_section
from bookings.admin.scan_cells import scan_section
from bookings.admin.ticket_cells import BADGES, booking_link, document_link, printed, qr, title_and_day, with_deliveries
from bookings.admin.ticket_requests import TicketRequests
from bookings.codes import CONFIRMATION_LENGTH, tidied
from bookings.documents import document_response
from bookings.models import Ticket
from tickets_project.admin_site.display import Section, column, moment, moment_column
from tickets_project.admin_site.filters import choice_filter
from tickets_project.admin_site.pages import uuid_in
from tickets_project.audit.history import history_of
from tickets_project.gateway.errors import UpstreamError
from tickets_project.notifications.admin import notification_section
from tickets_project.outbox.admin.explaining import deliveries_about, delivery_section, messages_about

STATUS = column("status", lambda row: BADGES.show(row.status))
BOOKING = column("booking", lambda row: booking_link(row.booking))
SHOW = column("show", lambda row: title_and_day(row.booking))

PrintedFilter = choice_filter(
    "printed", lambda: [("yes", "yes"), ("no", "not yet")], lambda answer: Q(printed_at__isnull=answer == "no")
)
# The vendor's tickets whose booking nobody knows have an index of their own.
BookingFilter = choice_filter(
    "booking", lambda: [("none", "none of ours"), ("ours", "ours")], lambda answer: Q(booking__isnull=answer == "none")
)


def _redeemed(row: Ticket) -> SafeString:
    """Tell when, by whom and where its holder entered."""
    where = f" at {row.redeemed_location}" if row.redeemed_location else ""
    return format_html("{} by {}{}", moment(row.redeemed_at), row.redeemed_by or "-", where)


LATER = {
    "vendor_booking_id": column("booking at the vendor", lambda row: row.vendor_booking_id),
    "activation_code": column("activation code", lambda row: row.activation_code),
    "activated_at": moment_column("activated_at"),
    "valid_from": moment_column("valid_from"),
    "valid_until": moment_column("valid_until"),
    "redeemed_at": column("redeemed", _redeemed),
    "expired_at": moment_column("expired_at"),
    "cancelled_at": moment_column("cancelled_at"),
    "receipt_number": column("receipt", lambda row: row.receipt_number),
    "refunded_at": moment_column("refunded_at"),
}


class TicketChangeList(ChangeList):
    """A page of tickets, which asks once for the deliveries that the unprinted ones wait for."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the page's tickets with what they wait for."""
        super().get_results(request)
        self.result_list = with_deliveries(self.result_list)


@admin.register(Ticket)
class TicketAdmin(TicketRequests):
    """One entry for one person, newest first."""

    list_display = ["__str__", BOOKING, SHOW, "customer_email", STATUS, column("printed", printed)]
    list_filter = [("status", ChoicesDropdownFilter), PrintedFilter, BookingFilter]
    list_select_related = ["booking__show", "booking__resource"]
    search_fields = ["id", "customer_email", "redemption_code"]
    search_help_text = "E-mail, code, or id of a ticket or booking"
    ordering = ["-created_at", "-id"]
    fields = [
        "id",
        "redemption_code",
        column("QR", qr),
        STATUS,
        "ticket_type",
        BOOKING,
        SHOW,
        "customer_email",
        "price",
        moment_column("created_at"),
        moment_column("printed_at"),
        column("document", document_link),
        *LATER.values(),
    ]
    readonly_fields = fields
    later = LATER

    def find(self, text: str) -> Q:
        """Return the tickets with this id, booking, e-mail address or code, its own or its booking's; all by index."""
        if "@" in text:
            return Q(customer_email__iexact=text)
        if wanted := uuid_in(text):
            return Q(id=wanted) | Q(booking_id=wanted)
        code = tidied(text)
        # An OR of the two would use neither index.
        return Q(redemption_code=code) if len(code) > CONFIRMATION_LENGTH else Q(booking__confirmation_code=code)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows why."""
        del request, kwargs
        return TicketChangeList

    def get_urls(self) -> list[URLPattern]:
        """Add the stored document."""
        view = self.admin_site.admin_view(self.document_view)
        return [path("<uuid:ticket_id>/document/", view, name="bookings_ticket_document"), *super().get_urls()]

    def sections(self, row: Ticket) -> list[Section]:
        """Return what waits, its scans and refunds, and what was done, told and published about it."""
        about = str(row.pk)
        waiting = deliveries_about([about])[about]
        refunds = list(row.refunds.select_related("ticket").order_by("-requested_at", "-id"))
        return [
            delivery_section("What waits and why", waiting, note="" if waiting else _nothing_waits(row)),
            scan_section(row),
            *([refund_section(refunds)] if refunds else []),
            history_of([about, *(str(refund.pk) for refund in refunds)]),
            notification_section([about]),
            messages_about([about]),
        ]

    def document_view(self, request: HttpRequest, ticket_id: UUID) -> HttpResponse:
        """Answer the stored document, or say why there is none."""
        ticket = get_object_or_404(Ticket, id=ticket_id)
        if not self.has_view_permission(request, ticket):
            raise PermissionDenied
        refusal = "The files service has no document of this ticket."
        try:
            if document := document_response(ticket):
                return document
        except UpstreamError as error:
            refusal = str(error)
        self.message_user(request, refusal, messages.ERROR)
        return redirect("admin:bookings_ticket_change", ticket_id)


def _nothing_waits(ticket: Ticket) -> str:
    return "Nothing: it is printed." if ticket.printed_at else "Nothing is on its way, and yet it is not printed."

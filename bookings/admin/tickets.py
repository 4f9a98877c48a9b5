"""Tickets: what is printed, and what waits and why."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from bookings.admin.ticket_cells import BADGES, booking_link, document_link, printed, qr, title_and_day, with_deliveries
from bookings.documents import document_response
from bookings.models import Ticket
from tickets_project.admin_site.display import Section, column, moment_column
from tickets_project.admin_site.filters import choice_filter
from tickets_project.admin_site.pages import ReadOnlyAdmin, uuid_in
from tickets_project.gateway.errors import UpstreamError
from tickets_project.outbox.admin.explaining import deliveries_about, delivery_section, messages_about

STATUS = column("status", lambda row: BADGES.show(row.status))
BOOKING = column("booking", lambda row: booking_link(row.booking))
SHOW = column("show", lambda row: title_and_day(row.booking))

PrintedFilter = choice_filter(
    "printed", lambda: [("yes", "yes"), ("no", "not yet")], lambda answer: Q(printed_at__isnull=answer == "no")
)


class TicketChangeList(ChangeList):
    """A page of tickets, which asks once for the deliveries that the unprinted ones wait for."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the page's tickets with what they wait for."""
        super().get_results(request)
        self.result_list = with_deliveries(self.result_list)


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    """One entry for one person, newest first."""

    list_display = ["__str__", BOOKING, SHOW, "customer_email", STATUS, column("printed", printed)]
    list_filter = [("status", ChoicesDropdownFilter), PrintedFilter]
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
    ]
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return the tickets with this id, booking, e-mail address or redemption code; each has its index."""
        if "@" in text:
            return Q(customer_email__iexact=text)
        if wanted := uuid_in(text):
            return Q(id=wanted) | Q(booking_id=wanted)
        return Q(redemption_code=text.upper().replace(" ", ""))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows why."""
        del request, kwargs
        return TicketChangeList

    def get_urls(self) -> list[URLPattern]:
        """Add the stored document."""
        view = self.admin_site.admin_view(self.document_view)
        return [path("<uuid:ticket_id>/document/", view, name="bookings_ticket_document"), *super().get_urls()]

    def sections(self, row: Ticket) -> list[Section]:
        """Return what waits, and all messages about the ticket."""
        about = str(row.pk)
        waiting = deliveries_about([about])[about]
        note = "" if waiting else _nothing_waits(row)
        return [delivery_section("What waits and why", waiting, note=note), messages_about([about])]

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

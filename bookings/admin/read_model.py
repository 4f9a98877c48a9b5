"""The ops read model: what has happened to bookings and tickets, as events have told of it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q
from django.http import HttpRequest

from bookings.models import OpsBooking, OpsTicket
from bookings.ops_queries import ops_tickets_of
from tickets_project.admin_site.display import Section, column, link, moment, moment_column, unbroken
from tickets_project.admin_site.pages import NOTHING, ReadOnlyAdmin, uuid_in

BOOKING = column("booking", lambda row: link("bookings_booking_change", row, row.pk))
SHOW = column("show", lambda row: link("bookings_show_change", row.show_id, row.show_id))
TICKETS = column("confirmed tickets", lambda row: f"{len(row.tickets)} of {row.number_of_tickets}")
HEADERS = ["ticket", "customer", "price", "confirmed", "printed", "file name", "receipt", "issued", "refunded"]


class OpsBookingChangeList(ChangeList):
    """A page of bookings, which asks once for the tickets of all."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the page's bookings with their tickets."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        tickets = ops_tickets_of(self.result_list)
        for row in self.result_list:
            row.tickets = tickets[row.pk]


@admin.register(OpsBooking)
class OpsBookingAdmin(ReadOnlyAdmin):
    """What events have told of a booking of a show and of its tickets, newest first."""

    list_display = ["__str__", "customer_email", TICKETS, moment_column("booked_at")]
    search_fields = ["booking_id"]
    search_help_text = "Id of a booking or ticket"
    ordering = ["-booked_at", "-booking_id"]
    fields = [BOOKING, SHOW, "customer_email", "number_of_tickets", moment_column("booked_at")]
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return the booking with this id, or the one that the ticket with this id belongs to."""
        if not (wanted := uuid_in(text)):
            return NOTHING
        return Q(booking_id=wanted) | Q(booking_id__in=OpsTicket.objects.filter(ticket_id=wanted).values("booking_id"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows the tickets."""
        del request, kwargs
        return OpsBookingChangeList

    def sections(self, row: OpsBooking) -> list[Section]:
        """Return what is known of its tickets."""
        tickets = ops_tickets_of([row])[row.booking_id]
        note = "" if tickets else "No ticket of it was confirmed."
        return [Section(title="Tickets", headers=HEADERS, rows=[_cells(ticket) for ticket in tickets], note=note)]


def _cells(ticket: OpsTicket) -> Sequence[object]:
    return [
        link("bookings_ticket_change", ticket, ticket.pk),
        ticket.customer_email,
        unbroken(ticket.price),
        moment(ticket.confirmed_at),
        moment(ticket.printed_at),
        ticket.file_name or "-",
        ticket.receipt_number or "-",
        moment(ticket.receipt_issued_at),
        moment(ticket.refunded_at),
    ]

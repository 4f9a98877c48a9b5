"""Bookings: to be read, and confirmed as the API does."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from bookings.admin.ticket_cells import place, ticket_section, title_and_day
from bookings.models import Booking, BookingStatus
from bookings.signals import booking_confirmation_requested
from tickets_project.admin_site.display import Badges, PostButton, Section, column, moment_column
from tickets_project.admin_site.pages import ReadOnlyAdmin, uuid_in
from tickets_project.admin_site.requests import actor_of
from tickets_project.audit.acts import act_of
from tickets_project.event_result import EventResult, ask
from tickets_project.outbox.admin.explaining import messages_about

BADGES = Badges(
    {"pending": "info", "confirmed": "success", "completed": "success", "no_show": "warning", "cancelled": "danger"}
)
STATUS = column("status", lambda row: BADGES.show(row.status))
MOST_TICKETS = 100


@admin.register(Booking)
class BookingAdmin(ReadOnlyAdmin):
    """Seats of a show for a customer; those with `bookings.change_booking` may confirm."""

    list_display = [
        "__str__",
        "customer_email",
        column("what", title_and_day),
        "number_of_tickets",
        STATUS,
        moment_column("created_at"),
    ]
    list_filter = [("status", ChoicesDropdownFilter)]
    list_select_related = ["show", "resource"]
    search_fields = ["id", "customer_email", "confirmation_code"]
    search_help_text = "E-mail address, confirmation code or id"
    ordering = ["-created_at", "-id"]
    fields = [
        "id",
        "confirmation_code",
        STATUS,
        column("what", place),
        "customer_email",
        "owner",
        "number_of_tickets",
        "price",
        "payment_id",
        moment_column("created_at"),
        moment_column("confirmed_at"),
    ]
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return the bookings with this id, e-mail address or confirmation code; each has its index."""
        if "@" in text:
            return Q(customer_email__iexact=text)
        booking_id = uuid_in(text)
        return Q(id=booking_id) if booking_id else Q(confirmation_code=text.upper())

    def get_urls(self) -> list[URLPattern]:
        """Add the address that takes the confirmation."""
        view = self.admin_site.admin_view(require_POST(self.confirm_view))
        return [path("<uuid:booking_id>/confirm/", view, name="bookings_booking_confirm"), *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Booking) -> list[PostButton]:
        """Return the confirmation of a pending booking."""
        if row.status != BookingStatus.PENDING or not _may_confirm(request):
            return []
        return [PostButton(url=reverse("admin:bookings_booking_confirm", args=[row.pk]), label="Confirm")]

    def sections(self, row: Booking) -> list[Section]:
        """Return its tickets, and all messages about it and them."""
        tickets = list(row.tickets.order_by("created_at", "id")[:MOST_TICKETS])
        note = f"The first {MOST_TICKETS}." if row.number_of_tickets > len(tickets) == MOST_TICKETS else ""
        about = [str(row.pk), *(str(ticket.pk) for ticket in tickets)]
        return [ticket_section(tickets, note=note), messages_about(about)]

    def confirm_view(self, request: HttpRequest, booking_id: UUID) -> HttpResponse:
        """Ask for the confirmation, and show its refusal."""
        if not _may_confirm(request) or not self.has_view_permission(request):
            raise PermissionDenied
        result = _confirm(request, get_object_or_404(Booking, id=booking_id))
        if result.error:
            self.message_user(request, result.error.detail, messages.ERROR)
        else:
            self.message_user(request, "Confirmed.", messages.SUCCESS)
        return redirect("admin:bookings_booking_change", booking_id)


def _may_confirm(request: HttpRequest) -> bool:
    return request.user.has_perm("bookings.change_booking")


@transaction.atomic
def _confirm(request: HttpRequest, booking: Booking) -> EventResult:
    act = act_of(actor_of(request), permission="bookings.change_booking", at=timezone.now())
    return ask(booking_confirmation_requested, booking=booking, act=act, payment_id=None)

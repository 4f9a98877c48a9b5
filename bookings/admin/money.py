"""Money in the admin: refunds, which finance pays when they are manual, receipts, and rows of the tracker sheets."""

from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from bookings import services
from bookings.admin.refund_cells import BADGES
from bookings.admin.ticket_cells import booking_link
from bookings.models import Receipt, Refund, RefundState, TrackerRow
from tickets_project.admin_site.asking import Question, ask_first
from tickets_project.admin_site.display import (
    LinkButton,
    Section,
    column,
    last_line,
    link,
    moment_column,
    preformatted,
    unbroken,
)
from tickets_project.admin_site.pages import NOTHING, ReadOnlyAdmin, uuid_in
from tickets_project.admin_site.requests import require
from tickets_project.audit.admin_acts import attempt, staff_act
from tickets_project.audit.history import history_of
from tickets_project.outbox.admin.explaining import deliveries_about, delivery_section, messages_about

PAY = "bookings.pay_refund"


def _ticket(row: Refund | Receipt) -> SafeString:
    """Lead to the ticket; a refund of a whole booking has none."""
    return link("bookings_ticket_change", row.ticket, row.ticket_id) if row.ticket else SafeString("the booking")


AMOUNT = column("amount", lambda row: unbroken(row.money))
STATUS = column("status", lambda row: BADGES.show(row.status))
TICKET = column("of", _ticket)
BOOKING = column("booking", lambda row: booking_link(row.booking))
TRACKED = column("ticket", lambda row: link("bookings_ticket_change", row.ticket_id, row.ticket_id))
NUMBER = column("number", lambda row: row.number or "not answered yet")


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Money on its way back, newest first; those with `bookings.pay_refund` mark a manual one paid."""

    list_display = [
        AMOUNT,
        STATUS,
        TICKET,
        BOOKING,
        moment_column("requested_at"),
        "requested_by",
        moment_column("finished_at"),
        column("failure", lambda row: last_line(row.failure) or "-"),
    ]
    list_filter = [("status", ChoicesDropdownFilter)]
    list_select_related = ["ticket", "booking"]
    search_fields = ["id", "ticket", "booking"]
    search_help_text = "Id of a refund, ticket or booking"
    ordering = ["-requested_at", "-id"]
    fields = [
        "id",
        AMOUNT,
        STATUS,
        TICKET,
        BOOKING,
        column("why", lambda row: row.reason or "-"),
        moment_column("requested_at"),
        "requested_by",
        moment_column("finished_at"),
        column("failure", lambda row: preformatted(row.failure)),
    ]
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return the refunds with this id, or of the ticket or booking with this id; each has its index."""
        wanted = uuid_in(text)
        return Q(id=wanted) | Q(ticket_id=wanted) | Q(booking_id=wanted) if wanted else NOTHING

    def get_urls(self) -> list[URLPattern]:
        """Add the address that takes the payment."""
        view = self.admin_site.admin_view(self.pay_view)
        return [path("<uuid:refund_id>/pay/", view, name="bookings_refund_pay"), *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Refund) -> list[LinkButton]:
        """Return the way to note that a manual refund is paid."""
        if row.status != RefundState.MANUAL or not request.user.has_perm(PAY):
            return []
        return [LinkButton(url=reverse("admin:bookings_refund_pay", args=[row.pk]), label="Mark paid…")]

    def sections(self, row: Refund) -> list[Section]:
        """Return what waits, what was done with the refund and its ticket, and all messages about the ticket."""
        about = [str(row.ticket_id)] if row.ticket_id else []
        waiting = [delivery for deliveries in deliveries_about(about).values() for delivery in deliveries]
        return [
            delivery_section("What waits and why", waiting, note="" if waiting else "Nothing."),
            history_of([str(row.pk), *about]),
            messages_about(about),
        ]

    def pay_view(self, request: HttpRequest, refund_id: UUID) -> HttpResponse:
        """Ask first; then note that a person has paid, and show the refusal."""
        require(request, self, PAY)
        refund = get_object_or_404(Refund.objects.select_related("booking", "ticket__booking"), id=refund_id)
        if request.method != "POST":
            return ask_first(self, request, refund, _question(refund))
        act = staff_act(request, PAY)
        attempt(
            request,
            lambda: services.mark_paid(refund_id=refund_id, act=act),
            done=f"{refund.money} is marked paid; the customer is told.",
        )
        return redirect("admin:bookings_refund_change", refund_id)


def _question(refund: Refund) -> Question:
    booking = refund.booking or (refund.ticket.booking if refund.ticket else None)
    customer = booking.customer_email if booking else refund.ticket.customer_email if refund.ticket else ""
    payment = booking.payment_id if booking else None
    tells = [
        f"You have paid {refund.money} back to {customer}, outside this system.",
        f"It was paid by {payment}." if payment else "No payment of the customer is on record here.",
        "The customer is told by mail.",
    ]
    return Question(title="Is it paid?", tells=tells, form=forms.Form(), label="It is paid", variant="primary")


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """What the receipts service has issued, and what it was asked for and has not answered yet."""

    list_display = [
        NUMBER,
        TICKET,
        moment_column("asked_at"),
        moment_column("issued_at"),
        moment_column("voided_at"),
    ]
    list_select_related = ["ticket"]
    search_fields = ["ticket"]
    search_help_text = "Id of a ticket"
    ordering = ["-asked_at", "-ticket"]
    fields = list_display
    readonly_fields = fields

    def sections(self, row: Receipt) -> list[Section]:
        """Return what waits, and all messages about the ticket."""
        about = str(row.ticket_id)
        waiting = deliveries_about([about])[about]
        note = "" if waiting else "Nothing."
        return [delivery_section("What waits and why", waiting, note=note), messages_about([about])]


@admin.register(TrackerRow)
class TrackerRowAdmin(ReadOnlyAdmin):
    """Rows of the tracker sheets, newest first; one that is not appended is being sent, or its outcome is unknown."""

    list_display = [TRACKED, "sheet", moment_column("asked_at"), moment_column("appended_at")]
    list_select_related = False
    search_fields = ["ticket_id"]
    search_help_text = "Id of a ticket"
    ordering = ["-id"]
    fields = list_display
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return the ticket's rows; the index of one row per ticket and sheet serves it."""
        wanted = uuid_in(text)
        return Q(ticket_id=wanted) if wanted else NOTHING

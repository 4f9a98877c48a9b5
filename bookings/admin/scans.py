"""Scans in the admin: read, and undone for a while."""

from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from bookings import queries, services
from bookings.admin.scan_cells import UNDO, is_undoable, outcome, undone
from bookings.models import Scan, ScanOutcome
from tickets_project.admin_site.asking import Question, ReasonForm, ask_first
from tickets_project.admin_site.display import LinkButton, column, link, moment_column
from tickets_project.admin_site.pages import ReadOnlyAdmin, uuid_in
from tickets_project.admin_site.requests import require
from tickets_project.audit.admin_acts import attempt, staff_act


def _ticket(scan: Scan) -> SafeString:
    """Lead to the ticket; an unknown code has none."""
    return link("bookings_ticket_change", scan.ticket, scan.ticket_id) if scan.ticket else SafeString("none of ours")


OUTCOME, TICKET = column("outcome", outcome), column("ticket", _ticket)
UNDONE = column("undone", undone)
WHERE = column("where", lambda scan: scan.location or "-")


@admin.register(Scan)
class ScanAdmin(ReadOnlyAdmin):
    """Each code that was held before a scanner, newest first; those with `bookings.undo_scan` take one back."""

    list_display = [moment_column("scanned_at"), "code", OUTCOME, TICKET, "scanned_by", WHERE, UNDONE]
    list_filter = [("outcome", ChoicesDropdownFilter)]
    list_select_related = ["ticket", "scanned_by", "undone_by"]
    search_fields = ["code", "ticket"]
    search_help_text = "The code, or the id of a ticket or scan"
    ordering = ["-scanned_at", "-id"]
    fields = [
        "id",
        moment_column("scanned_at"),
        "code",
        OUTCOME,
        column("answer", lambda scan: scan.answer.get("detail", "-")),
        TICKET,
        "scanned_by",
        WHERE,
        "nonce",
        UNDONE,
    ]
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return the scans of the ticket with this id or code, or of a code that is nobody's; each has its index."""
        if wanted := uuid_in(text):
            return Q(id=wanted) | Q(ticket_id=wanted)
        if ticket := queries.ticket_with_code(text):
            return Q(ticket=ticket)
        return Q(outcome=ScanOutcome.UNKNOWN_CODE, code=text)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that takes a scan back."""
        view = self.admin_site.admin_view(self.undo_view)
        return [path("<uuid:scan_id>/undo/", view, name="bookings_scan_undo"), *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Scan) -> list[LinkButton]:
        """Return the way to take it back."""
        possible = request.user.has_perm(UNDO) and is_undoable(row, at=timezone.now())
        return [undo_button(row)] if possible else []

    def undo_view(self, request: HttpRequest, scan_id: UUID) -> HttpResponse:
        """Ask why, then make the ticket of a mistaken scan active again."""
        require(request, self, UNDO)
        scan = get_object_or_404(Scan.objects.select_related("ticket", "scanned_by"), id=scan_id)
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return ask_first(self, request, scan, _question(scan, form))
        act = staff_act(request, UNDO, reason=form.cleaned_data["reason"])
        attempt(request, lambda: services.undo_scan(scan_id=scan_id, act=act), done="The ticket is active again.")
        if scan.ticket_id:
            return redirect("admin:bookings_ticket_change", scan.ticket_id)
        return redirect("admin:bookings_scan_change", scan_id)


def undo_button(scan: Scan) -> LinkButton:
    """Return the way to the page that takes a scan back."""
    return LinkButton(url=reverse("admin:bookings_scan_undo", args=[scan.pk]), label="Undo the scan…", variant="danger")


def _question(scan: Scan, form: ReasonForm) -> Question:
    where = f" at {scan.location}" if scan.location else ""
    scanned_at = timezone.localtime(scan.scanned_at)
    tells = [
        f"{scan.code} was scanned at {scanned_at:%Y-%m-%d %H:%M:%S}{where} by {scan.scanned_by}.",
        "Its ticket becomes active again and lets somebody in once more; the scan stays on record as undone.",
    ]
    return Question(title="Undo this scan?", tells=tells, form=form, label="Undo the scan")

"""What the pages show of scans, and which of them can be undone."""

from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from bookings.models import Scan, ScanOutcome, Ticket, TicketStatus
from bookings.services.redeeming import UNDO_WITHIN
from tickets_project.admin_site.display import Badges, Section, link, moment

UNDO = "bookings.undo_scan"
BADGES = Badges({str(value): "success" if value == "redeemed" else "danger" for value in ScanOutcome.values})
MOST_SCANS = 50


def outcome(scan: Scan) -> SafeString:
    """Tell what a scan came to."""
    return BADGES.show(scan.outcome)


def undone(scan: Scan) -> SafeString:
    """Tell when and by whom a scan was taken back."""
    return format_html("{} by {}", moment(scan.undone_at), scan.undone_by) if scan.undone_at else SafeString("-")


def scan_section(ticket: Ticket) -> Section:
    """Return a ticket's scans as a table, latest first."""
    scans = Scan.objects.filter(ticket=ticket).select_related("scanned_by", "undone_by").order_by("-scanned_at", "-id")
    found = list(scans[: MOST_SCANS + 1])
    rows = [
        [
            link("bookings_scan_change", moment(scan.scanned_at), scan.pk),
            outcome(scan),
            scan.scanned_by,
            scan.location or "-",
            undone(scan),
        ]
        for scan in found[:MOST_SCANS]
    ]
    note = f"The latest {MOST_SCANS}." if len(found) > MOST_SCANS else "" if found else "It was never scanned."
    return Section(title="Scans", headers=["when", "outcome", "by", "where", "undone"], rows=rows, note=note)


def undoable_scan(ticket: Ticket, *, at: datetime) -> Scan | None:
    """Return the scan that let its holder in, when it can still be taken back."""
    if ticket.status != TicketStatus.REDEEMED:
        return None
    latest = Scan.objects.filter(ticket=ticket, outcome=ScanOutcome.REDEEMED, undone_at=None).order_by("-scanned_at")
    scan = latest.first()
    return scan if scan and is_undoable(scan, at=at) else None


def is_undoable(scan: Scan, *, at: datetime) -> bool:
    """Tell whether a scan let somebody in and can still be taken back."""
    return scan.outcome == ScanOutcome.REDEEMED and not scan.undone_at and at - scan.scanned_at <= UNDO_WITHIN

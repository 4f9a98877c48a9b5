"""What the pages show of refunds."""

from collections.abc import Sequence

from bookings.models import Refund
from tickets_project.admin_site.display import Badges, Section, link, moment, unbroken

BADGES = Badges(
    {
        "requested": "info",
        "receipt_voided": "info",
        "refunded": "success",
        "failed": "danger",
        "manual": "warning",
        "paid": "success",
    }
)


def refund_section(refunds: Sequence[Refund]) -> Section:
    """Return the refunds of a booking or ticket as a table."""
    rows = [
        [
            link("bookings_refund_change", unbroken(refund.money), refund.pk),
            BADGES.show(refund.status),
            link("bookings_ticket_change", refund.ticket, refund.ticket_id) if refund.ticket else "the booking",
            refund.reason or "-",
            moment(refund.requested_at),
            refund.requested_by,
            moment(refund.finished_at),
        ]
        for refund in refunds
    ]
    headers = ["amount", "status", "of", "why", "requested", "by", "finished"]
    return Section(title="Refunds", headers=headers, rows=rows)

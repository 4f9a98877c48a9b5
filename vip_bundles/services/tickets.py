"""What becomes of a bundle's tickets; messages about them may come before their confirmation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from vip_bundles.models import BundleTicket, VipBundle


def record_printed(*, ticket_id: UUID, booking_id: UUID, file_name: str, at: datetime) -> None:
    """Note that a ticket is printed; one that belongs to no bundle is ignored, and a second note changes nothing."""
    _record(ticket_id, booking_id, "printed_at", at, file_name=file_name)


def record_refunded(*, ticket_id: UUID, booking_id: UUID, at: datetime) -> None:
    """Note that a ticket's money is paid back; likewise."""
    _record(ticket_id, booking_id, "refunded_at", at)


@transaction.atomic(savepoint=False)
def _record(ticket_id: UUID, booking_id: UUID, what: str, at: datetime, **facts: Any) -> None:
    # Locked before its tickets, as their confirmation does, so that no two wait for each other.
    bundle = VipBundle.objects.select_for_update().filter(booking_id=booking_id).only("id").first()
    if bundle is None:
        return
    BundleTicket.objects.get_or_create(ticket_id=ticket_id, defaults={"bundle": bundle})
    BundleTicket.objects.filter(ticket_id=ticket_id, **{what: None}).update(**{what: at}, **facts)

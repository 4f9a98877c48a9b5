"""What needs a person: counted for the first page of the admin, each with its age and the list to work through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from bookings.models import Refund, RefundState, Ticket
from bookings.models.tickets import OPEN
from tickets_project.admin_site.display import Section, age, link
from tickets_project.admin_site.navigation import may_view
from tickets_project.notifications.models import Notification, State
from tickets_project.outbox.models import Delivery, Status
from vip_bundles.models import VipBundle
from vip_bundles.queries import ended_without_tickets

MOST_COUNTED = 1000
# The first retries are over in seconds.
A_LONG_TIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Rows that need a person.

    :param rows: oldest first, in an order that an index keeps
    :param since: the field with the time from which a row's age counts
    :param model: whose list of the admin has them, such as `bookings_refund`, narrowed by `query`
    """

    what: str
    rows: QuerySet[Any]
    since: str
    model: str
    query: dict[str, str]


def concerns(*, at: datetime) -> list[Concern]:
    """Return everything that may need a person."""
    return [
        Concern(
            what="VIP bundles that are stuck",
            rows=VipBundle.objects.filter(stuck_at__isnull=False).order_by("created_at", "id"),
            since="created_at",
            model="vip_bundles_vipbundle",
            query={"stuck": "yes"},
        ),
        Concern(
            what="VIP bundles that ended well without all their tickets",
            rows=ended_without_tickets(at=at).filter(finalized_at__lt=at - A_LONG_TIME).order_by("created_at", "id"),
            since="created_at",
            model="vip_bundles_vipbundle",
            query={"tickets": "missing"},
        ),
        Concern(
            what="Deliveries that were given up",
            rows=Delivery.objects.filter(status=Status.PARKED).order_by("id"),
            since="message__published_at",
            model="outbox_delivery",
            query={"status__exact": Status.PARKED},
        ),
        _refunds("Refunds that failed", RefundState.FAILED),
        _refunds("Refunds for a person to pay", RefundState.MANUAL),
        Concern(
            what="Tickets of the vendor whose booking nobody knows",
            rows=Ticket.objects.filter(booking=None, status__in=OPEN).order_by("created_at", "id"),
            since="created_at",
            model="bookings_ticket",
            query={"booking": "none"},
        ),
        Concern(
            what="Notifications that have waited long",
            rows=Notification.objects.filter(state=State.PENDING, requested_at__lt=at - A_LONG_TIME).order_by(
                "created_at", "id"
            ),
            since="requested_at",
            model="notifications_notification",
            query={"state__exact": State.PENDING},
        ),
    ]


def concern_sections(request: HttpRequest, *, at: datetime) -> list[Section]:
    """Return what needs a person as a table, as far as the user may see it; none when that is nothing at all."""
    visible = [concern for concern in concerns(at=at) if may_view(request, model=concern.model)]
    if not visible:
        return []
    rows = [row for concern in visible if (row := _row(concern, at=at))]
    note = "" if rows else "All is well: nothing needs a person."
    return [Section(title="What needs a person", headers=["what", "how many", "oldest"], rows=rows, note=note)]


def _refunds(what: str, status: RefundState) -> Concern:
    return Concern(
        what=what,
        rows=Refund.objects.filter(status=status).order_by("requested_at", "id"),
        since="requested_at",
        model="bookings_refund",
        query={"status__exact": status},
    )


def _row(concern: Concern, *, at: datetime) -> Sequence[object]:
    """Return its line, nothing when nobody is needed."""
    oldest = concern.rows.values_list(concern.since, flat=True).first()
    if oldest is None:
        return []
    count = concern.rows.order_by()[: MOST_COUNTED + 1].count()
    many = f"more than {MOST_COUNTED}" if count > MOST_COUNTED else count
    return [link(f"{concern.model}_changelist", concern.what, query=concern.query), many, age(oldest, at)]

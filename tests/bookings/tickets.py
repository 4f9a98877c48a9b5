"""Tickets for tests, in each of their states, of a show whose doors are open; and what became of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone

from bookings.codes import redemption_code
from bookings.models import Scan, Show, Ticket
from bookings.services import activate_ticket, cancel_booking, expire_ticket, scan
from tests.factories import NOON, ShowFactory, TicketTypeFactory, confirmed_booking, only_ticket, staff_act
from tickets_project.audit.models import AuditEntry
from tickets_project.audit.recording import subject_of
from tickets_project.notifications.models import Notification


def tonight(**facts: Any) -> Show:
    """Return a show that starts in an hour, so that its doors are open."""
    start = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    show: Show = ShowFactory.create(**{"start_time": start} | facts)
    return show


def pending_ticket(owner: User | None = None, *, show: Show | None = None) -> Ticket:
    return only_ticket(confirmed_booking(owner=owner, seats=1, show=show or tonight()))


def active_ticket(owner: User | None = None, *, show: Show | None = None) -> Ticket:
    return activated(pending_ticket(owner, show=show))


def unbooked_ticket(**facts: Any) -> Ticket:
    """Return a ticket of the vendor's whose booking nobody knows, without an activation code."""
    return Ticket.objects.create(
        **{
            "vendor_booking_id": uuid4(),
            "ticket_type": TicketTypeFactory.create(),
            "customer_email": "eve@customers.example",
            "price_amount": "10.00",
            "price_currency": "EUR",
            "redemption_code": redemption_code(),
            "created_at": NOON,
        }
        | facts
    )


def activated(ticket: Ticket, *, at: datetime | None = None) -> Ticket:
    return activate_ticket(ticket_id=ticket.id, act=staff_act(at=at or timezone.now()), code=None)


def scanned(ticket: Ticket, **facts: Any) -> Scan:
    """Return a scan of the ticket by somebody at the door."""
    location, nonce = facts.pop("location", "North door"), facts.pop("nonce", None)
    return scan(code=ticket.redemption_code, act=staff_act(**facts), location=location, nonce=nonce)


def ticket_that_is(status: str, owner: User | None = None) -> Ticket:
    """Return a ticket in this state, brought there as it would be."""
    ticket = pending_ticket(owner)
    if status in {"active", "redeemed", "expired"}:
        activated(ticket)
    match status:
        case "redeemed":
            scanned(ticket)
        case "expired":
            expire_ticket(ticket_id=ticket.id, act=staff_act(at=timezone.now() + timedelta(days=1)))
        case "cancelled":
            cancel_booking(booking_id=ticket.booking_id or uuid4(), act=staff_act())
    return now(ticket)


def now(ticket: Ticket) -> Ticket:
    """Return the ticket as it is stored."""
    return Ticket.objects.get(id=ticket.id)


def entries(row: Model) -> list[AuditEntry]:
    """Return what the audit trail says of a row, oldest first."""
    kind, row_id = subject_of(row)
    return list(AuditEntry.objects.filter(subject_type=kind, subject_id=row_id).order_by("id"))


def told(template: str) -> Notification:
    """Return the one notification of this template."""
    return Notification.objects.get(template=template)

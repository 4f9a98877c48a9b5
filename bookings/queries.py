"""Reads that the API, the admin and other apps' adapters need."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet

from bookings.models import Booking, Show, Ticket


def shows() -> QuerySet[Show]:
    """Return all shows."""
    return Show.objects.select_related("ticket_type")


def bookings_visible_to(user: User) -> QuerySet[Booking]:
    """Return a user's own bookings, or all of them for staff, with what a list shows."""
    bookings = Booking.objects.select_related("show").prefetch_related("tickets__ticket_type")
    return bookings if user.is_staff else bookings.filter(owner=user)


def search_bookings(bookings: QuerySet[Booking], text: str) -> QuerySet[Booking]:
    """Narrow a list to a confirmation code, an e-mail address or the beginning of a title; each has its index."""
    for match in (Q(confirmation_code=text.upper()), Q(customer_email__iexact=text)):
        if (found := bookings.filter(match)).exists():
            return found
    return bookings.filter(show__title__istartswith=text)


def tickets_visible_to(user: User) -> QuerySet[Ticket]:
    """Return a user's own tickets, or all of them for staff, with what a list shows."""
    tickets = Ticket.objects.select_related("ticket_type", "booking")
    return tickets if user.is_staff else tickets.filter(booking__owner=user)


def ticket_facts(ticket_id: UUID) -> dict[str, Any] | None:
    """Return what stands on a ticket, of itself and of its booking and show; None when there is no such ticket."""
    facts = (
        Ticket.objects.filter(id=ticket_id)
        .values(
            "customer_email",
            "price_amount",
            "price_currency",
            "redemption_code",
            type_name=F("ticket_type__name"),
            confirmation_code=F("booking__confirmation_code"),
            title=F("booking__show__title"),
            venue=F("booking__show__venue"),
            start_time=F("booking__show__start_time"),
        )
        .first()
    )
    return dict(facts) if facts else None

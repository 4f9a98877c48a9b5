"""Reads that the API, the admin and other apps' adapters need."""

from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

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


def ticket_with_show(ticket_id: UUID) -> Ticket | None:
    """Return a ticket with its booking and show, None when there is no such ticket."""
    return Ticket.objects.select_related("ticket_type", "booking__show").filter(id=ticket_id).first()

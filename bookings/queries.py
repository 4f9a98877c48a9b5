"""Reads that the API, the admin and other apps' adapters need."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Prefetch, Q, QuerySet

from bookings.codes import tidied
from bookings.models import Booking, BookingStatus, Show, Ticket
from tickets_project.statements import run_prepared
from tickets_project.values import Money

# In SQL, since it is asked for each ticket, and the ORM takes four times as long.
_TICKET_FACTS = """
    SELECT ticket.customer_email, ticket.price_amount, ticket.price_currency, ticket.redemption_code,
        ticket.vendor_booking_id, ticket_type.name AS type_name, booking.confirmation_code, booking.start_time,
        coalesce(show.title, resource.name) AS title, coalesce(show.venue, resource.location) AS venue
    FROM bookings_ticket AS ticket
        JOIN bookings_tickettype AS ticket_type ON ticket_type.id = ticket.ticket_type_id
        LEFT JOIN bookings_booking AS booking ON booking.id = ticket.booking_id
        LEFT JOIN bookings_show AS show ON show.id = booking.show_id
        LEFT JOIN bookings_resource AS resource ON resource.id = booking.resource_id
    WHERE ticket.id = %(ticket)s
"""


def shows() -> QuerySet[Show]:
    """Return all shows."""
    return Show.objects.select_related("ticket_type")


def bookings_visible_to(user: User) -> QuerySet[Booking]:
    """Return a user's own bookings, or all of them for staff, with what a list shows."""
    bookings = _bookings()
    return bookings if _sees_all(user, "bookings.view_booking") else bookings.filter(owner=user)


def booking_with_tickets(booking_id: UUID) -> Booking:
    """Return the booking as it is answered.

    :raises Booking.DoesNotExist: if there is no such booking
    """
    return _bookings().get(id=booking_id)


def bookings_owned_by(user: User) -> QuerySet[Booking]:
    """Return a user's own bookings, whatever else the user may see."""
    return Booking.objects.select_related("show", "resource").filter(owner=user)


def search_bookings(bookings: QuerySet[Booking], text: str) -> QuerySet[Booking]:
    """Narrow a list to a confirmation code, an e-mail address or the beginning of a title; each has its index."""
    for match in (Q(confirmation_code=text.upper()), Q(customer_email__iexact=text)):
        if (found := bookings.filter(match)).exists():
            return found
    titled = bookings.filter(show__title__istartswith=text)
    return titled if titled.exists() else bookings.filter(resource__name__istartswith=text)


def tickets_visible_to(user: User) -> QuerySet[Ticket]:
    """Return a user's own tickets, or all of them for staff, with what a list shows."""
    tickets = _tickets()
    return tickets if _sees_all(user, "bookings.view_ticket") else tickets.filter(booking__owner=user)


def tickets_owned_by(user: User) -> QuerySet[Ticket]:
    """Return a user's own tickets, whatever else the user may see."""
    return _tickets().filter(booking__owner=user)


def ticket_with_code(redemption_code: str) -> Ticket | None:
    """Return the ticket that a scanned or typed code belongs to."""
    return Ticket.objects.select_related("booking").filter(redemption_code=tidied(redemption_code)).first()


def ticket_facts(ticket_id: UUID) -> dict[str, Any] | None:
    """Return what stands on a ticket, of itself and of its booking and show; None when there is no such ticket."""
    return next(iter(run_prepared(_TICKET_FACTS, {"ticket": ticket_id})), None)


def event_to_book(booking_id: UUID) -> UUID | None:
    """Return the vendor's id of what a pending booking is for, None when there is nothing to book with the vendor."""
    pending = Booking.objects.filter(id=booking_id, status=BookingStatus.PENDING)
    return pending.values_list("show__dead_nation_id", flat=True).first()


def price_of_booking(booking_id: UUID) -> Money | None:
    """Return the price of all of a booking, None when there is none."""
    booking = Booking.objects.filter(id=booking_id).only("price_amount", "price_currency").first()
    return booking.price if booking else None


def price_of_ticket(ticket_id: UUID) -> Money | None:
    """Return the price of a ticket, None when there is none."""
    ticket = Ticket.objects.filter(id=ticket_id).only("price_amount", "price_currency").first()
    return ticket.price if ticket else None


def _bookings() -> QuerySet[Booking]:
    tickets = Prefetch("tickets", _tickets().order_by("created_at", "id"))
    return Booking.objects.select_related("show", "resource").prefetch_related(tickets)


def _tickets() -> QuerySet[Ticket]:
    return Ticket.objects.select_related(
        "ticket_type", "booking__show", "booking__resource", "receipt"
    ).prefetch_related("refunds")


def _sees_all(user: User, permission: str) -> bool:
    return user.is_staff and user.has_perm(permission)

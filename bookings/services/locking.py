"""The order in which rows are locked: show or resource, booking, tickets by id. All that take several keep it."""

from uuid import UUID

from bookings.codes import tidied
from bookings.models import Booking, Show, Ticket

# All columns of a ticket and of what it belongs to cost the scan more than locking it.
_DOOR = (
    "status",
    "redemption_code",
    "valid_from",
    "valid_until",
    "customer_email",
    "vendor_booking_id",
    "ticket_type__name",
    "booking__owner_id",
    "booking__show__title",
    "booking__resource__name",
)


def locked_booking(booking_id: UUID) -> Booking:
    """Return the booking, locked, with its place.

    :raises Booking.DoesNotExist: if there is no such booking
    """
    bookings = Booking.objects.select_related("show__ticket_type", "resource__ticket_type", "owner")
    return bookings.select_for_update(of=["self"]).get(id=booking_id)


def locked_with_show(booking_id: UUID) -> Booking:
    """Return the booking, locked after its show, whose seats may then be given back.

    :raises Booking.DoesNotExist: if there is no such booking
    """
    show_id = Booking.objects.values_list("show_id", flat=True).get(id=booking_id)
    if show_id:
        Show.objects.select_for_update().get(id=show_id)
    return locked_booking(booking_id)


def locked_ticket(ticket_id: UUID) -> Ticket:
    """Return the ticket, locked, with its booking and type.

    :raises Ticket.DoesNotExist: if there is no such ticket
    """
    tickets = Ticket.objects.select_related("booking__show", "booking__resource", "booking__owner", "ticket_type")
    return tickets.select_for_update(of=["self"]).get(id=ticket_id)


def locked_at_the_door(redemption_code: str) -> Ticket | None:
    """Return the ticket that a scanned or typed code belongs to, locked, with what the door needs of it.

    What else it has is read when it is asked for.
    """
    tickets = Ticket.objects.select_related("booking__show", "booking__resource", "ticket_type").only(*_DOOR)
    # Not first(), which would put the one row there may be in order.
    return next(iter(tickets.select_for_update(of=["self"]).filter(redemption_code=tidied(redemption_code))), None)


def locked_tickets(booking: Booking) -> list[Ticket]:
    """Return the booking's tickets, locked in the order of their ids."""
    tickets = Ticket.objects.filter(booking=booking).select_related("ticket_type").order_by("id")
    rows = list(tickets.select_for_update(of=["self"]))
    for ticket in rows:
        ticket.booking = booking
    return rows


def locked_ticket_with_show(ticket_id: UUID) -> Ticket:
    """Return the ticket, locked after its show and booking, which may then change with it.

    :raises Ticket.DoesNotExist: if there is no such ticket
    """
    booking_id = Ticket.objects.values_list("booking_id", flat=True).get(id=ticket_id)
    booking = locked_with_show(booking_id) if booking_id else None
    ticket = locked_ticket(ticket_id)
    if booking:
        ticket.booking = booking
    return ticket

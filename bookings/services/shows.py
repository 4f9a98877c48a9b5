"""Shows: put up for booking, and changed while they are booked."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from bookings.errors import SeatsAreHeld, UnknownTicketType
from bookings.models import Booking, Show, Ticket, TicketStatus, TicketType
from tickets_project.audit.acts import Act
from tickets_project.audit.recording import record, subject_of
from tickets_project.values import Money

STANDARD = "standard"
# A redeemed ticket is active again when its scan is undone.
_IN_USE = [TicketStatus.ACTIVE, TicketStatus.REDEEMED]


@transaction.atomic
def make_show(*, act: Act, price: Money, ticket_type: str = STANDARD, **fields: Any) -> Show:
    """Put a show up for booking; `price` is for one ticket, `fields` are the model's.

    :raises UnknownTicketType: if there is no ticket type of that name; the standard one is made when missing
    """
    show = Show.objects.create(
        price_amount=price.amount, price_currency=price.currency, ticket_type=ticket_type_named(ticket_type), **fields
    )
    record("show_created", subject_of(show), act.noting(title=show.title))
    return show


@transaction.atomic
def change_show(*, show_id: UUID, act: Act, **fields: Any) -> Show:
    """Change a show; the times of its bookings, and until when its tickets are valid, follow.

    :raises Show.DoesNotExist: if there is no such show
    :raises SeatsAreHeld: if it would have fewer seats than are held
    """
    show = Show.objects.select_for_update().get(id=show_id)
    if fields.get("number_of_tickets", show.number_of_tickets) < show.seats_held:
        raise SeatsAreHeld(seats_held=show.seats_held)
    old = {name: getattr(show, name) for name in fields}
    for name, value in fields.items():
        setattr(show, name, value)
    show.save(update_fields=list(fields))
    record("show_changed", subject_of(show), act.noting(before=old, after=fields))
    _move(show)
    return show


def ticket_type_named(name: str) -> TicketType:
    """Return the ticket type; the standard one is made when missing.

    :raises UnknownTicketType: if there is none of that name
    """
    if name == STANDARD:
        return TicketType.objects.get_or_create(name=STANDARD)[0]
    try:
        return TicketType.objects.get(name=name)
    except TicketType.DoesNotExist as error:
        raise UnknownTicketType(f"There is no ticket type {name!r}.") from error


def _move(show: Show) -> None:
    moved = ~Q(start_time=show.start_time) | Q(end_time__isnull=show.end_time is not None)
    if show.end_time:
        moved |= ~Q(end_time=show.end_time)
    # What has been reminded of another time is reminded anew.
    Booking.objects.filter(moved, show=show).update(
        start_time=show.start_time, end_time=show.end_time, day_reminder_at=None, hour_reminder_at=None
    )
    until_the_end = Ticket.objects.filter(booking__show=show, status__in=_IN_USE, ticket_type__valid_days=None)
    valid = {"valid_from": show.doors_at, "valid_until": show.over_at}
    until_the_end.exclude(**valid).update(**valid)

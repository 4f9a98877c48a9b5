"""Making bookings: seats of a show, or a resource for a time."""

from contextlib import suppress
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from bookings import opening_hours
from bookings.errors import (
    BookingIdTaken,
    NotEnoughTickets,
    OutsideOpeningHours,
    ShowHasStarted,
    SlotInThePast,
    SlotTaken,
)
from bookings.models import Booking, Resource, Show
from bookings.services import announcing
from tickets_project.audit.acts import Act
from tickets_project.audit.recording import record, subject_of
from tickets_project.outbox.publishing import publish
from tickets_project.values import Money

_CENT = Decimal("0.01")
_HOUR_SECONDS = 3600


class _ShowHasChanged(Exception):
    """Between the moment when it was read and that when its seats were to be held."""


def make_booking(  # noqa: PLR0913 - a booking has these facts
    *,
    booking_id: UUID | None = None,
    show_id: UUID,
    number_of_tickets: int,
    customer_email: str,
    owner: User | None,
    act: Act,
) -> Booking:
    """Hold seats and announce it; the same booking_id twice holds them once.

    :param booking_id: of a booking that may have been made before; without one it is new
    :raises Show.DoesNotExist: if there is no such show
    :raises ShowHasStarted: if it has started
    :raises NotEnoughTickets: if it cannot seat them all
    :raises BookingIdTaken: if the id belongs to a booking of another show
    """
    new = Booking(
        id=booking_id or uuid4(),
        owner=owner,
        customer_email=customer_email,
        number_of_tickets=number_of_tickets,
        seats_held=number_of_tickets,
    )
    if booking_id is None:
        # Nobody waits for the show before its seats are held; if it has changed by then, once more under its lock.
        with suppress(_ShowHasChanged), transaction.atomic():
            return _seat(new, Show.objects.get(id=show_id), act)
    with transaction.atomic():
        show = Show.objects.select_for_update().get(id=show_id)
        return _made_before(new.id, show) or _seat(new, show, act)


@transaction.atomic
def book_resource(  # noqa: PLR0913 - a booking has these facts
    *,
    booking_id: UUID,
    resource_id: UUID,
    start_time: datetime,
    end_time: datetime,
    customer_email: str,
    owner: User | None,
    act: Act,
) -> Booking:
    """Hold a resource from `start_time` to `end_time`, whose end is free for the next, and announce it.

    :raises Resource.DoesNotExist: if there is no such resource
    :raises SlotInThePast: if the time has begun
    :raises OutsideOpeningHours: if it is not open all that time
    :raises SlotTaken: if a booking overlaps
    """
    # Locked, because the constraint alone would have two that book one slot at once wait for each other: a deadlock.
    resource = Resource.objects.select_for_update().get(id=resource_id)
    _refuse_slot(resource, start_time, end_time, at=act.at)
    booking = _store(
        Booking(
            id=booking_id,
            resource=resource,
            start_time=start_time,
            end_time=end_time,
            owner=owner,
            customer_email=customer_email,
            number_of_tickets=1,
        ),
        price=price_of(resource, start_time, end_time),
        act=act,
    )
    publish(announcing.booking_created(booking))
    return booking


def price_of(resource: Resource, start_time: datetime, end_time: datetime) -> Money:
    """Return what the time costs at the resource's price for an hour, to the cent."""
    hours = Decimal((end_time - start_time).total_seconds()) / _HOUR_SECONDS
    amount = (resource.price_amount * hours).quantize(_CENT, ROUND_HALF_UP)
    return Money(amount=amount, currency=resource.price_currency)


def _made_before(booking_id: UUID, show: Show) -> Booking | None:
    booking = Booking.objects.filter(id=booking_id).first()
    if booking and booking.show_id != show.id:
        raise BookingIdTaken
    return booking


def _seat(booking: Booking, show: Show, act: Act) -> Booking:
    if show.start_time <= act.at:
        raise ShowHasStarted
    if booking.number_of_tickets > show.seats_left:
        raise NotEnoughTickets(seats_left=show.seats_left)
    booking.show, booking.start_time, booking.end_time = show, show.start_time, show.end_time
    _store(booking, price=show.price.times(booking.number_of_tickets), act=act)
    publish(announcing.booking_created(booking), announcing.booking_made(booking))
    # Last, since from here to the commit everybody else who books the show has to wait.
    _hold_seats(show, booking.seats_held)
    return booking


def _hold_seats(show: Show, seats: int) -> None:
    as_read = Show.objects.filter(id=show.id, start_time=show.start_time, end_time=show.end_time)
    with_room = as_read.filter(number_of_tickets__gte=F("seats_held") + seats)
    if not with_room.update(seats_held=F("seats_held") + seats):
        raise _ShowHasChanged


def _store(booking: Booking, *, price: Money, act: Act) -> Booking:
    booking.price_amount, booking.price_currency = price.amount, price.currency
    booking.created_at = act.at
    booking.save(force_insert=True)
    record("booking_created", subject_of(booking), act, new=booking.status)
    return booking


def _refuse_slot(resource: Resource, start_time: datetime, end_time: datetime, *, at: datetime) -> None:
    if start_time < at:
        raise SlotInThePast
    if not opening_hours.is_open(resource, start_time, end_time):
        raise OutsideOpeningHours
    if opening_hours.is_booked(resource, start_time, end_time):
        raise SlotTaken

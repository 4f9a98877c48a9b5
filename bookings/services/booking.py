"""Making bookings: seats of a show, or a resource for a time."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

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


@transaction.atomic
def make_booking(  # noqa: PLR0913 - a booking has these facts
    *, booking_id: UUID, show_id: UUID, number_of_tickets: int, customer_email: str, owner: User | None, act: Act
) -> Booking:
    """Hold seats and announce it; the same booking_id twice holds them once.

    :raises Show.DoesNotExist: if there is no such show
    :raises ShowHasStarted: if it has started
    :raises NotEnoughTickets: if it cannot seat them all
    :raises BookingIdTaken: if the id belongs to a booking of another show
    """
    show = Show.objects.select_for_update().get(id=show_id)
    if booking := Booking.objects.filter(id=booking_id).first():
        if booking.show_id != show_id:
            raise BookingIdTaken
        return booking
    _hold_seats(show, number_of_tickets, at=act.at)
    booking = _store(
        Booking(
            id=booking_id,
            show=show,
            start_time=show.start_time,
            end_time=show.end_time,
            owner=owner,
            customer_email=customer_email,
            number_of_tickets=number_of_tickets,
            seats_held=number_of_tickets,
        ),
        price=show.price.times(number_of_tickets),
        act=act,
    )
    publish(announcing.booking_created(booking), announcing.booking_made(booking))
    return booking


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


def _hold_seats(show: Show, seats: int, *, at: datetime) -> None:
    if show.start_time <= at:
        raise ShowHasStarted
    if seats > show.seats_left:
        raise NotEnoughTickets(seats_left=show.seats_left)
    show.seats_held += seats
    show.save(update_fields=["seats_held"])

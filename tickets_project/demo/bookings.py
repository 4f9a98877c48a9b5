"""The bookings of the demo, in different states, and a room."""

from datetime import time, timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User

from bookings.models import Booking, Resource, Show
from bookings.services import book_resource, cancel_booking, confirm_booking, make_booking, make_resource, scan
from tickets_project.audit.acts import Act
from tickets_project.demo.shows import CARMEN, NABUCCO, ORCHARD, REHEARSAL
from tickets_project.values import Money

BOOKING_ID = UUID("00000000-0000-4000-8000-000000000001")


def make_bookings(shows: dict[str, Show], act: Act, *, customer: User, door: User) -> None:
    """Make bookings that are confirmed, pending and cancelled, one with a ticket scanned, and one of a room."""
    _confirmed(shows[CARMEN], 2, customer, act, booking_id=BOOKING_ID)
    _booked(shows[NABUCCO], 4, customer, act)
    _cancel(_confirmed(shows[ORCHARD], 2, customer, act), Act(at=act.at, actor=customer, reason="We are ill."))
    _admit_one_of(_confirmed(shows[REHEARSAL], 3, customer, act), Act(at=act.at, actor=door, as_staff=True))
    _book_room(_room(act), customer, act)


def _booked(show: Show, seats: int, customer: User, act: Act, *, booking_id: UUID | None = None) -> Booking:
    return make_booking(
        booking_id=booking_id,
        show_id=show.id,
        number_of_tickets=seats,
        customer_email=customer.email,
        owner=customer,
        act=act,
    )


def _confirmed(show: Show, seats: int, customer: User, act: Act, *, booking_id: UUID | None = None) -> Booking:
    booking = _booked(show, seats, customer, act, booking_id=booking_id)
    return confirm_booking(booking_id=booking.id, act=act, payment_id=f"demo-{booking.id}")


def _cancel(booking: Booking, act: Act) -> None:
    cancel_booking(booking_id=booking.id, act=act)


def _admit_one_of(booking: Booking, act: Act) -> None:
    first = booking.tickets.order_by("id")[0]
    scan(code=first.redemption_code, act=act, location="Front door", nonce=uuid4().hex)


def _room(act: Act) -> Resource:
    return make_resource(
        act=act,
        type="room",
        name="Rehearsal room 2",
        location="Small Stage, Almere",
        price=Money(amount=Decimal("25.00"), currency="EUR"),
        opening_hours=[(weekday, time(9), time(22)) for weekday in range(7)],
    )


def _book_room(room: Resource, customer: User, act: Act) -> None:
    tomorrow = act.at.astimezone(ZoneInfo(settings.TICKETS_TIME_ZONE)) + timedelta(days=1)
    start = tomorrow.replace(hour=10, minute=0, second=0, microsecond=0)
    booking = book_resource(
        booking_id=uuid4(),
        resource_id=room.id,
        start_time=start,
        end_time=start + timedelta(hours=2),
        customer_email=customer.email,
        owner=customer,
        act=act,
    )
    confirm_booking(booking_id=booking.id, act=act, payment_id=f"demo-{booking.id}")

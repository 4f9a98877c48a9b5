"""The data of the demo: a few shows, a room, and bookings in different states."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from bookings.models import Activation, Booking, Resource, Show, TicketType
from bookings.services import (
    STANDARD,
    book_resource,
    cancel_booking,
    confirm_booking,
    make_booking,
    make_resource,
    make_show,
    scan,
)
from tickets_project.audit.acts import Act
from tickets_project.values import Money

ADMIN, CUSTOMER, DOOR = "admin", "customer", "door"
BOOKING_ID = UUID("00000000-0000-4000-8000-000000000001")
WALK_IN = "walk-in"
# Title, venue, hours until it starts, seats, price, ticket type.
SHOWS = [
    ("Carmen", "Teatro Real, Madrid", 30 * 24, 1200, "85.00", STANDARD),
    ("Nabucco", "Arena di Verona", 45 * 24, 5000, "49.50", STANDARD),
    ("The Cherry Orchard", "Small Stage, Almere", 7 * 24, 40, "18.00", STANDARD),
    ("Open Rehearsal", "Small Stage, Almere", 2, 60, "12.00", WALK_IN),
]


@transaction.atomic
def fill(*, at: datetime) -> None:
    """Make three users, shows, a room, and bookings: confirmed, pending, cancelled, and one with a ticket scanned."""
    admin = _user(ADMIN, is_staff=True, is_superuser=True)
    customer, door = _user(CUSTOMER), _user(DOOR, is_staff=True)
    door.groups.add(Group.objects.get(name="door"))
    act = Act(at=at, actor=admin, as_staff=True)
    TicketType.objects.get_or_create(name=WALK_IN, defaults={"activation": Activation.ON_CONFIRMATION})
    carmen, nabucco, orchard, rehearsal = (_show(act, facts) for facts in SHOWS)
    _confirmed(carmen, 2, customer, act, booking_id=BOOKING_ID)
    _booked(nabucco, 4, customer, act)
    cancel_booking(
        booking_id=_confirmed(orchard, 2, customer, act).id, act=Act(at=at, actor=customer, reason="We are ill.")
    )
    walk_in = _confirmed(rehearsal, 3, customer, act)
    first = walk_in.tickets.order_by("id")[0]
    scan(
        code=first.redemption_code, act=Act(at=at, actor=door, as_staff=True), location="Front door", nonce=uuid4().hex
    )
    _book_room(_room(act), customer, act)


def _show(act: Act, facts: tuple[str, str, int, int, str, str]) -> Show:
    title, venue, hours, seats, price, ticket_type = facts
    return make_show(
        act=act,
        title=title,
        venue=venue,
        start_time=act.at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours),
        number_of_tickets=seats,
        price=Money(amount=Decimal(price), currency="EUR"),
        ticket_type=ticket_type,
    )


def _booked(show: Show, seats: int, customer: User, act: Act, *, booking_id: UUID | None = None) -> Booking:
    return make_booking(
        booking_id=booking_id or uuid4(),
        show_id=show.id,
        number_of_tickets=seats,
        customer_email=customer.email,
        owner=customer,
        act=act,
    )


def _confirmed(show: Show, seats: int, customer: User, act: Act, *, booking_id: UUID | None = None) -> Booking:
    booking = _booked(show, seats, customer, act, booking_id=booking_id)
    return confirm_booking(booking_id=booking.id, act=act, payment_id=f"demo-{booking.id}")


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


def _user(name: str, **rights: bool) -> User:
    user, is_new = User.objects.get_or_create(username=name, defaults={"email": f"{name}@tickets.example", **rights})
    if is_new:
        user.set_password(name)
        user.save()
    return user

"""Shows for the tests of BookShowTickets, and seats of them booked as a bundle does."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from bookings.models import Booking, Show
from bookings.services import book_show_tickets
from bookings.services.vendor import VendorTicket, record_vendor_tickets
from tests.factories import NOON, ShowFactory, TicketTypeFactory
from tickets_project.audit.acts import Act

BOOKING = UUID(int=1)
CLIENTS, SEATS = 25, 5
MADE = ["booking.created", "BookingMade_v1"]


def show(**facts: Any) -> Show:
    made: Show = ShowFactory.create(**{"start_time": NOON + timedelta(days=1)} | facts)
    return made


def vendor_show(**facts: Any) -> Show:
    return show(dead_nation_id=uuid4(), **facts)


def show_without_tickets(**facts: Any) -> Show:
    return show(ticket_type=TicketTypeFactory.create(name="free entry", makes_tickets=False), **facts)


def held(show: Show) -> int:
    """Return how many of its seats are held, as it is stored now."""
    return Show.objects.get(id=show.id).seats_held


def act(*, automatic: str = "vip bundles") -> Act:
    return Act(at=NOON, automatic=automatic, as_staff=True)


def take(show: Show | UUID, **facts: Any) -> Booking:
    """Book three seats as a bundle does."""
    defaults: dict[str, Any] = {
        "booking_id": BOOKING,
        "show_id": show.id if isinstance(show, Show) else show,
        "number_of_tickets": 3,
        "customer_email": "ada@customers.example",
        "owner": None,
        "act": act(),
    }
    return book_show_tickets(**defaults | facts)


def hear_of(booking: Booking, *, tickets: int = 1) -> None:
    """Let the vendor confirm tickets of it."""
    told = [
        VendorTicket(
            ticket_id=uuid4(),
            booking_id=booking.id,
            is_confirmed=True,
            customer_email=booking.customer_email,
            price=booking.price,
        )
        for _ in range(tickets)
    ]
    record_vendor_tickets(told=told, act=act(automatic="vendor"))

"""Resources for tests, and times to book them."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from bookings.models import Booking, Resource
from bookings.services import book_resource, make_resource
from bookings.services.resources import Hours
from tests.factories import NOON
from tickets_project.audit.acts import Act
from tickets_project.values import Money

MIDNIGHT = time()
ALWAYS = [(weekday, MIDNIGHT, MIDNIGHT) for weekday in range(7)]
# NOON is on a Saturday.
SATURDAY, SUNDAY = 5, 6


def room(*, hours: Iterable[Hours] = ALWAYS, **fields: Any) -> Resource:
    """Put a room up at ten euros an hour, open day and night unless its hours are given."""
    price = Money(amount=Decimal(fields.pop("amount", "10.00")), currency=fields.pop("currency", "EUR"))
    facts = {"type": "room", "name": "Blue room", "location": "First floor"} | fields
    return make_resource(act=Act(at=NOON), price=price, opening_hours=list(hours), **facts)


def book(resource: Resource, start: float, end: float, **facts: Any) -> Booking:
    """Book it from so many hours after noon until so many."""
    return book_resource(
        booking_id=uuid4(),
        resource_id=resource.id,
        start_time=after(start),
        end_time=after(end),
        customer_email="ada@customers.example",
        owner=facts.get("owner"),
        act=Act(at=facts.get("at", NOON), actor=facts.get("owner")),
    )


def after(hours: float) -> datetime:
    """Return noon and so many hours."""
    return NOON + timedelta(hours=hours)

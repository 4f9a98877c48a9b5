"""Filling an empty database with the demo."""

from datetime import datetime

from django.db import transaction

from tickets_project.audit.acts import Act
from tickets_project.demo.bookings import make_bookings
from tickets_project.demo.bundles import make_bundles
from tickets_project.demo.people import make_admin, make_customer, make_door
from tickets_project.demo.shows import make_shows


@transaction.atomic
def fill(*, at: datetime) -> None:
    """Make people, shows, bookings and VIP bundles; the worker does the rest."""
    act = Act(at=at, actor=make_admin(), as_staff=True)
    customer, shows = make_customer(), make_shows(act)
    make_bookings(shows, act, customer=customer, door=make_door())
    make_bundles(shows, act, customer=customer)

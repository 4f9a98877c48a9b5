"""`fill_demo`: a little data to look at, and where to look."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from bookings.models import Show
from bookings.services import confirm_booking, make_booking, make_show
from tickets_project.audit.acts import Act
from tickets_project.values import Money

SHOWS = [
    ("Carmen", "Teatro Real, Madrid", 30, 1200, "85.00"),
    ("Nabucco", "Arena di Verona", 45, 5000, "49.50"),
    ("The Cherry Orchard", "Small Stage, Almere", 7, 40, "18.00"),
]
ADMIN, CUSTOMER = "admin", "customer"
BOOKING_ID = UUID("00000000-0000-4000-8000-000000000001")


class Command(BaseCommand):
    """Fills an empty database; a filled one is left as it is."""

    help = "Make demo users, shows and one confirmed booking. Their passwords are known: never run it in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the port to print."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--force", action="store_true", help="also in a database that is not the embedded one")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Fill, then print the addresses."""
        if "DATABASE_URL" not in settings.EMBEDDED_DEFAULTS and not options["force"]:
            raise CommandError("The demo makes users with known passwords; give --force to do so in DATABASE_URL.")
        if not Show.objects.exists():
            fill(at=timezone.now())
        site = f"http://127.0.0.1:{options['port']}"
        self.stdout.write(
            f"\n  Admin     {site}/admin/   (user {ADMIN}, password {ADMIN})\n"
            f"  API docs  {site}/api/v1/docs/\n"
            f"  Health    {site}/health/ready\n\n"
            "  Ready in a few seconds; Ctrl-C stops everything.\n"
        )


@transaction.atomic
def fill(*, at: datetime) -> None:
    """Make two users, the shows, and one confirmed booking of two tickets."""
    admin = _user(ADMIN, is_staff=True, is_superuser=True)
    customer = _user(CUSTOMER)
    act = Act(at=at, actor=admin, as_staff=True)
    first, *_ = [
        make_show(
            act=act,
            title=title,
            venue=venue,
            start_time=at.replace(hour=19, minute=30, second=0, microsecond=0) + timedelta(days=days),
            number_of_tickets=seats,
            price=Money(amount=Decimal(price), currency="EUR"),
        )
        for title, venue, days, seats, price in SHOWS
    ]
    booking = make_booking(
        booking_id=BOOKING_ID,
        show_id=first.id,
        number_of_tickets=2,
        customer_email=customer.email,
        owner=customer,
        act=act,
    )
    confirm_booking(booking_id=booking.id, act=act, payment_id="demo")


def _user(name: str, **rights: bool) -> User:
    user, is_new = User.objects.get_or_create(username=name, defaults={"email": f"{name}@tickets.example", **rights})
    if is_new:
        user.set_password(name)
        user.save()
    return user

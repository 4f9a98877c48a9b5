"""The data of the demo."""

import io
from collections import Counter
from uuid import UUID

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from bookings.models import Booking, BookingStatus, Show, Ticket


def fill() -> str:
    shown = io.StringIO()
    call_command("fill_demo", "--port", "8123", stdout=shown)
    return shown.getvalue()


@pytest.fixture(autouse=True)
def _embedded(settings: Settings) -> None:
    settings.EMBEDDED_DEFAULTS = ["DATABASE_URL"]


@pytest.mark.django_db
class TestFillDemo:
    def test_makes_users_shows_and_a_confirmed_booking(self) -> None:
        shown = fill()
        assert "http://127.0.0.1:8123/admin/" in shown
        assert Show.objects.count() == 4
        assert Booking.objects.get(id=UUID("00000000-0000-4000-8000-000000000001")).status == BookingStatus.CONFIRMED
        statuses = Counter(Booking.objects.values_list("status", flat=True))
        assert statuses == {"confirmed": 3, "pending": 1, "cancelled": 1}
        assert Counter(Ticket.objects.values_list("status", flat=True)) == {
            "pending": 2,
            "active": 2,
            "redeemed": 1,
            "cancelled": 2,
        }
        for name in ("admin", "customer", "door"):
            assert authenticate(username=name, password=name)

    def test_refuses_a_database_that_is_not_the_embedded_one(self, settings: Settings) -> None:
        settings.EMBEDDED_DEFAULTS = []
        with pytest.raises(CommandError, match="known passwords"):
            fill()
        assert not Show.objects.exists()

    def test_fills_it_when_forced(self, settings: Settings) -> None:
        settings.EMBEDDED_DEFAULTS = []
        call_command("fill_demo", "--force", stdout=io.StringIO())
        assert Show.objects.count() == 4

    def test_leaves_the_password_of_a_user_who_is_there(self) -> None:
        User.objects.create_user("admin", password="my own")
        fill()
        assert authenticate(username="admin", password="my own")

    def test_leaves_a_filled_database_as_it_is(self) -> None:
        fill()
        fill()
        assert (Show.objects.count(), Booking.objects.count()) == (4, 5)

"""The data of the demo."""

import io
from uuid import UUID

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from bookings.models import Booking, BookingStatus, Show, Ticket


def fill() -> str:
    shown = io.StringIO()
    call_command("fill_demo", "--port", "8123", stdout=shown)
    return shown.getvalue()


@pytest.mark.django_db
class TestFillDemo:
    def test_makes_users_shows_and_a_confirmed_booking(self) -> None:
        shown = fill()
        assert "http://127.0.0.1:8123/admin/" in shown
        assert Show.objects.count() == 3
        assert Booking.objects.get(id=UUID("00000000-0000-4000-8000-000000000001")).status == BookingStatus.CONFIRMED
        assert Ticket.objects.count() == 2
        for name in ("admin", "customer"):
            assert authenticate(username=name, password=name)

    def test_leaves_a_filled_database_as_it_is(self) -> None:
        fill()
        fill()
        assert (Show.objects.count(), Booking.objects.count()) == (3, 1)

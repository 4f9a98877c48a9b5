"""The command that fills the demo's database."""

import io
from collections import Counter

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from bookings.models import Booking, BookingStatus, Show, Ticket
from tickets_project.demo.bookings import BOOKING_ID
from vip_bundles.models import VipBundle


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
        assert "http://127.0.0.1:8123/admin/ " in shown
        assert "http://127.0.0.1:8123/admin/vip_bundles/vipbundle/" in shown
        assert Show.objects.count() == 5
        assert Booking.objects.get(id=BOOKING_ID).status == BookingStatus.CONFIRMED
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

    def test_asks_for_bundles_and_books_nothing_of_them(self) -> None:
        fill()
        assert Counter(VipBundle.objects.values_list("state", flat=True)) == {"initialized": 4}
        assert not Booking.objects.filter(id__in=VipBundle.objects.values("booking_id")).exists()

    def test_refuses_a_database_that_is_not_the_embedded_one(self, settings: Settings) -> None:
        settings.EMBEDDED_DEFAULTS = []
        with pytest.raises(CommandError, match="known passwords"):
            fill()
        assert not Show.objects.exists()
        assert not VipBundle.objects.exists()

    def test_fills_it_when_forced(self, settings: Settings) -> None:
        settings.EMBEDDED_DEFAULTS = []
        call_command("fill_demo", "--force", stdout=io.StringIO())
        assert Show.objects.count() == 5

    def test_leaves_the_password_of_a_user_who_is_there(self) -> None:
        User.objects.create_user("admin", password="my own")
        fill()
        assert authenticate(username="admin", password="my own")

    def test_leaves_a_filled_database_as_it_is(self) -> None:
        fill()
        fill()
        assert (Show.objects.count(), Booking.objects.count(), VipBundle.objects.count()) == (5, 5, 4)

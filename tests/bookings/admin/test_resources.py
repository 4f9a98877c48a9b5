"""Resources in the admin."""

from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bookings.models import Booking, Resource
from tests.bookings.rooms import SATURDAY, SUNDAY, book, room
from tests.factories import TicketTypeFactory
from tests.pages import page, results
from tickets_project.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
RESOURCES = "/admin/bookings/resource/"


def said(*hours: tuple[int, str, str], **facts: Any) -> dict[str, Any]:
    """Return what the form of a new resource posts."""
    fields = {"type": "room", "name": "Red room", "location": "", "price_amount": "12.50", "price_currency": "eur"}
    posted: dict[str, Any] = {"opening_hours-TOTAL_FORMS": len(hours), "opening_hours-INITIAL_FORMS": 0}
    for number, (weekday, opens, closes) in enumerate(hours):
        row = f"opening_hours-{number}-"
        posted |= {f"{row}weekday": weekday, f"{row}opens": opens, f"{row}closes": closes}
    return {**fields, "ticket_type": "", **posted, **facts}


def change(resource: Resource, **facts: Any) -> dict[str, Any]:
    """Return what the form of an existing resource posts."""
    hours = list(resource.opening_hours.all())
    openings = [(row.weekday, f"{row.opens:%H:%M}", f"{row.closes:%H:%M}") for row in hours]
    fields = {"type": resource.type, "name": resource.name, "location": resource.location}
    price = {"price_amount": resource.price_amount, "price_currency": resource.price_currency}
    posted = said(*openings, **fields, **price)
    for number, row in enumerate(hours):
        posted |= {f"opening_hours-{number}-id": row.pk, f"opening_hours-{number}-resource": resource.pk}
    return {**posted, "opening_hours-INITIAL_FORMS": len(hours), **facts}


def hours_of(resource: Resource) -> list[tuple[int, time, time]]:
    return list(resource.opening_hours.values_list("weekday", "opens", "closes"))


class TestAddResource:
    def test_puts_it_up_with_its_opening_hours(self, admin_client: Client, admin_user: User) -> None:
        posted = said((SATURDAY, "09:00", "18:00"), (SUNDAY, "20:00", "00:00"))
        assert admin_client.post(f"{RESOURCES}add/", posted).status_code == 302
        resource = Resource.objects.get()
        assert (resource.name, resource.price.amount, resource.price.currency) == ("Red room", Decimal("12.50"), "EUR")
        assert hours_of(resource) == [(SATURDAY, time(9), time(18)), (SUNDAY, time(20), time())]
        assert resource.ticket_type is None
        assert AuditEntry.objects.get(action="resource_created").actor == admin_user

    def test_takes_a_ticket_type(self, admin_client: Client) -> None:
        kind = TicketTypeFactory.create(name="room ticket")
        admin_client.post(f"{RESOURCES}add/", said((SATURDAY, "09:00", "18:00"), ticket_type=kind.pk))
        assert Resource.objects.get().ticket_type == kind

    @pytest.mark.parametrize(
        ("hours", "facts", "refusal"),
        [
            ([], {}, "Give one opening at least"),
            ([(SATURDAY, "18:00", "09:00")], {}, "Give a time after the opening; 00:00 is the end of the day."),
            ([(SATURDAY, "09:00", "09:00")], {}, "Give a time after the opening"),
            ([(SATURDAY, "09:00", "12:00"), (SATURDAY, "09:00", "18:00")], {}, "open at the same time"),
            ([(SATURDAY, "", "12:00")], {}, "This field is required"),
            ([(SATURDAY, "09:00", "12:00")], {"price_currency": "XXX"}, "Give a currency of ISO 4217"),
            ([(SATURDAY, "09:00", "12:00")], {"price_amount": "-1"}, "greater than or equal to 0"),
            ([(SATURDAY, "09:00", "12:00")], {"type": "car"}, "not one of the available choices"),
        ],
    )
    def test_shows_why_it_is_refused(
        self, admin_client: Client, hours: list[tuple[int, str, str]], facts: dict[str, str], refusal: str
    ) -> None:
        answer = admin_client.post(f"{RESOURCES}add/", said(*hours, **facts))
        assert refusal in answer.content.decode()
        assert not Resource.objects.exists()


class TestChangeResource:
    def test_changes_its_name_and_leaves_its_hours(self, admin_client: Client, admin_user: User) -> None:
        resource = room(hours=[(SATURDAY, time(9), time(18))], name="Blue room")
        admin_client.post(f"{RESOURCES}{resource.pk}/change/", change(resource, name="Green room"))
        changed = Resource.objects.get()
        assert (changed.name, hours_of(changed)) == ("Green room", [(SATURDAY, time(9), time(18))])
        entry = AuditEntry.objects.get(action="resource_changed")
        assert (entry.actor, entry.details) == (
            admin_user,
            {"before": {"name": "Blue room"}, "after": {"name": "Green room"}},
        )

    def test_changes_its_hours(self, admin_client: Client) -> None:
        resource = room(hours=[(SATURDAY, time(9), time(18)), (SUNDAY, time(9), time(18))])
        posted = change(resource, **{"opening_hours-0-closes": "20:00", "opening_hours-1-DELETE": "on"})
        assert admin_client.post(f"{RESOURCES}{resource.pk}/change/", posted).status_code == 302
        assert hours_of(resource) == [(SATURDAY, time(9), time(20))]
        details = AuditEntry.objects.get(action="resource_changed").details
        assert details["hours_before"] == ["saturday 09:00-18:00", "sunday 09:00-18:00"]
        assert details["hours_after"] == ["saturday 09:00-20:00"]

    def test_changes_the_price_until_it_is_booked(self, admin_client: Client) -> None:
        resource = room(hours=[(SATURDAY, time(9), time(18))])
        posted = change(resource, price_amount="11.00", location="Cellar")
        admin_client.post(f"{RESOURCES}{resource.pk}/change/", posted)
        assert Resource.objects.get().price_amount == Decimal("11.00")
        book(resource, 1, 2)
        posted |= {"price_amount": "99.00", "type": "service", "location": "Attic"}
        posted |= {"opening_hours-0-id": resource.opening_hours.get().pk}
        admin_client.post(f"{RESOURCES}{resource.pk}/change/", posted)
        changed = Resource.objects.get()
        assert (changed.price_amount, changed.type, changed.location) == (Decimal("11.00"), "room", "Attic")
        assert Booking.objects.get().price_amount == Decimal("11.00")


class TestDeleteResource:
    def test_deletes_one_that_nobody_booked(self, admin_client: Client) -> None:
        resource = room()
        admin_client.post(f"{RESOURCES}{resource.pk}/delete/", {"post": "yes"})
        assert not Resource.objects.exists()

    def test_is_refused_once_it_is_booked(self, admin_client: Client) -> None:
        book(resource := room(), 1, 2)
        assert admin_client.post(f"{RESOURCES}{resource.pk}/delete/", {"post": "yes"}).status_code == 403


class TestResourceList:
    def test_finds_by_name(self, admin_client: Client) -> None:
        blue, _ = room(name="Blue room"), room(name="Red room")
        assert results(admin_client, f"{RESOURCES}?q=Blue room") == [blue]

    def test_shows_the_price_of_an_hour(self, admin_client: Client) -> None:
        room(amount="12.50")
        assert "12.50 EUR" in page(admin_client, RESOURCES)

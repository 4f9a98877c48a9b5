"""Resources over HTTP: put up, listed, read, and what of them is free."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from bookings.models import OpeningHours, Resource
from bookings.services import cancel_booking
from tests.bookings.published import names
from tests.bookings.rooms import SATURDAY, after, book, room
from tests.bookings.traces import entry, leaving_nothing, set_clock
from tests.factories import NOON, StaffFactory, TicketTypeFactory, staff_act
from tests.tickets_project.api.clients import with_token

pytestmark = pytest.mark.django_db

RESOURCES = "/api/v1/resources/"
MONDAY = {"weekday": "monday", "opens": "09:00", "closes": "18:00"}


def body(**fields: Any) -> dict[str, Any]:
    price = {"amount": "12.50", "currency": "EUR"}
    return {"type": "room", "name": "Blue room", "opening_hours": [MONDAY], "price": price} | fields


def free(client: APIClient, resource: Resource, day: str = "2026-05-02") -> list[tuple[str, str]]:
    response = client.get(f"{RESOURCES}{resource.id}/availability/", {"date": day})
    assert response.status_code == 200
    assert (response.json()["resource_id"], response.json()["date"]) == (str(resource.id), day)
    return [(slot["start_time"], slot["end_time"]) for slot in response.json()["free_slots"]]


class TestResourcesViewPost:
    def test_puts_it_up(self, staff: APIClient, ann: User) -> None:
        TicketTypeFactory.create(name="pass")
        late = {"weekday": "monday", "opens": "20:00", "closes": "00:00"}
        sunday = {"weekday": "sunday", "opens": "00:00", "closes": "00:00"}
        given = body(location="First floor", ticket_type="pass", opening_hours=[sunday, late, MONDAY])
        response = staff.post(RESOURCES, given)
        resource = Resource.objects.get()
        assert (response.status_code, response.json()) == (
            201,
            {
                "resource_id": str(resource.id),
                "type": "room",
                "name": "Blue room",
                "location": "First floor",
                "opening_hours": [MONDAY, late, sunday],
                "price": {"amount": "12.50", "currency": "EUR"},
                "ticket_type": "pass",
            },
        )
        made = entry("resource_created")
        assert (made.subject_type, made.subject_id, made.actor) == ("resource", str(resource.id), ann)
        assert (made.details, names()) == ({"name": "Blue room"}, [])

    @pytest.mark.parametrize("kind", ["room", "equipment", "service"])
    def test_knows_three_types(self, staff: APIClient, kind: str) -> None:
        answered = staff.post(RESOURCES, body(type=kind)).json()
        assert (answered["type"], answered["location"], answered["ticket_type"]) == (kind, "", None)

    def test_takes_null_for_a_ticket_type_left_out(self, staff: APIClient) -> None:
        assert staff.post(RESOURCES, body(ticket_type=None)).status_code == 201

    def test_puts_it_up_once_under_one_key(self, staff: APIClient) -> None:
        first, second = (staff.post(RESOURCES, body(), headers={"Idempotency-Key": "k"}) for _ in range(2))
        assert (first.status_code, first.content) == (201, second.content)
        assert Resource.objects.count() == OpeningHours.objects.count() == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("type", "boat"),
            ("type", ["room"]),
            ("type", None),
            ("name", ""),
            ("name", "x" * 201),
            ("name", "Blue\0"),
            ("location", "x" * 201),
            ("location", None),
            ("price", {"amount": "-1", "currency": "EUR"}),
            ("price", {"amount": "1", "currency": "XXX"}),
            ("price", {"amount": "100000.01", "currency": "EUR"}),
            ("price", "12.50"),
            ("opening_hours", []),
            ("opening_hours", None),
            ("opening_hours", "always"),
            ("opening_hours", {"monday": "09:00-18:00"}),
            ("opening_hours", [MONDAY, MONDAY]),
            ("opening_hours", [MONDAY, MONDAY | {"closes": "12:00"}]),
            ("opening_hours", [MONDAY | {"weekday": "funday"}]),
            ("opening_hours", [MONDAY | {"weekday": 0}]),
            ("opening_hours", [MONDAY | {"opens": "18:00"}]),
            ("opening_hours", [MONDAY | {"opens": "19:00"}]),
            ("opening_hours", [MONDAY | {"closes": "24:00"}]),
            ("opening_hours", [MONDAY | {"opens": "9"}]),
            ("opening_hours", [MONDAY | {"opens": 9}]),
            ("opening_hours", [MONDAY | {"opens": None}]),
            ("opening_hours", [MONDAY | {"lunch": "12:00"}]),
            ("opening_hours", [{"weekday": "monday", "opens": "09:00"}]),
            ("opening_hours", [MONDAY | {"opens": f"{n // 60:02}:{n % 60:02}"} for n in range(71)]),
            ("ticket_type", ""),
            ("seats", 3),
            ("resource_id", "5cb71d2e-3f44-4c0b-9a6e-1f0b7a2d9c11"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, staff: APIClient, field: str, value: object) -> None:
        with leaving_nothing():
            response = staff.post(RESOURCES, body(**{field: value}))
        assert (response.status_code, response.json()["code"]) == (400, "invalid")
        assert list(response.json()["errors"]) == [field]

    @pytest.mark.parametrize("field", list(body()))
    def test_names_the_field_that_is_missing(self, staff: APIClient, field: str) -> None:
        given = body()
        del given[field]
        assert staff.post(RESOURCES, given).json()["errors"] == {field: ["This field is required."]}

    def test_refuses_an_unknown_ticket_type(self, staff: APIClient) -> None:
        with leaving_nothing():
            response = staff.post(RESOURCES, body(ticket_type="pass"))
        assert (response.status_code, response.json()["code"]) == (400, "unknown_ticket_type")

    def test_is_for_staff_who_put_things_up(self, customer: APIClient, nobody: APIClient) -> None:
        with leaving_nothing():
            assert customer.post(RESOURCES, body()).status_code == 403
            assert nobody.post(RESOURCES, body()).status_code == 401
        for role in ("", "box office", "door", "finance"):
            assert with_token(StaffFactory.create(role=role)).post(RESOURCES, body()).status_code == 403
        assert not Resource.objects.exists()


class TestResourcesViewGet:
    def test_lists_them_by_name(self, customer: APIClient) -> None:
        for name in ("b", "c", "a"):
            room(name=name)
        first = customer.get(RESOURCES, {"page_size": 2}).json()
        second = customer.get(first["next"]).json()
        assert [resource["name"] for resource in first["results"] + second["results"]] == ["a", "b", "c"]
        assert (first["previous"], second["next"]) == (None, None)

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, customer: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(5):
            room()
        with django_assert_max_num_queries(4):
            customer.get(RESOURCES)

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.get(RESOURCES).status_code == 401


class TestResourceView:
    def test_answers_everybody_known(self, customer: APIClient, staff: APIClient) -> None:
        url = f"{RESOURCES}{room(hours=[(0, time(9), time(18))]).id}/"
        assert customer.get(url).json() == staff.get(url.rstrip("/")).json()
        assert customer.get(url).json()["opening_hours"] == [MONDAY]

    def test_is_404_for_an_unknown_resource(self, customer: APIClient) -> None:
        for path in (f"{uuid4()}/", "7/", f"{uuid4()}/availability/?date=2026-05-02"):
            assert customer.get(f"{RESOURCES}{path}").status_code == 404

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        resource = room()
        assert nobody.get(f"{RESOURCES}{resource.id}/").status_code == 401
        assert nobody.get(f"{RESOURCES}{resource.id}/availability/", {"date": "2026-05-02"}).status_code == 401


class TestAvailabilityView:
    @pytest.fixture(autouse=True)
    def _noon(self, monkeypatch: pytest.MonkeyPatch, customer: APIClient) -> None:
        # The token is made first: it would be too old.
        del customer
        set_clock(monkeypatch, NOON - timedelta(days=1))

    def test_tells_what_is_open_and_not_booked(self, customer: APIClient) -> None:
        resource = room(hours=[(SATURDAY, time(9), time(18))])
        assert free(customer, resource) == [("2026-05-02T09:00:00Z", "2026-05-02T18:00:00Z")]
        first, _ = book(resource, 0, 1), book(resource, 2, 3)
        left = [
            ("2026-05-02T09:00:00Z", "2026-05-02T12:00:00Z"),
            ("2026-05-02T13:00:00Z", "2026-05-02T14:00:00Z"),
            ("2026-05-02T15:00:00Z", "2026-05-02T18:00:00Z"),
        ]
        assert free(customer, resource) == left
        cancel_booking(booking_id=first.id, act=staff_act())
        assert free(customer, resource) == [("2026-05-02T09:00:00Z", "2026-05-02T14:00:00Z"), left[-1]]

    def test_is_empty_on_a_day_that_is_closed_booked_or_over(self, customer: APIClient) -> None:
        resource = room(hours=[(SATURDAY, time(12), time(18))])
        assert free(customer, resource, "2026-05-03") == []
        assert free(customer, resource, "2026-04-25") == []
        book(resource, 0, 6)
        assert free(customer, resource) == []

    def test_offers_nothing_that_has_begun(self, customer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        resource = room(hours=[(SATURDAY, time(9), time(18))])
        set_clock(monkeypatch, NOON + timedelta(seconds=59))
        assert free(customer, resource) == [("2026-05-02T12:01:00Z", "2026-05-02T18:00:00Z")]

    def test_offers_what_can_be_booked_at_once(self, customer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        resource = room()
        set_clock(monkeypatch, NOON)
        [(start, end)] = free(customer, resource)
        given = {"resource_id": str(resource.id), "start_time": start, "end_time": end}
        assert customer.post("/api/v1/bookings/", given).status_code == 201
        assert free(customer, resource) == []

    def test_counts_days_where_the_house_is(self, customer: APIClient, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = "Europe/Madrid"
        resource = room(hours=[(SATURDAY, time(0), time(0))])
        assert free(customer, resource) == [("2026-05-01T22:00:00Z", "2026-05-02T22:00:00Z")]

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"date": ""},
            {"date": "today"},
            {"date": "2026-02-30"},
            {"date": "02.05.2026"},
            {"date": "2026-05-02T12:00:00Z"},
            {"day": "2026-05-02"},
            {"date": "2026-05-02", "hours": "3"},
        ],
    )
    def test_needs_a_date_and_nothing_else(self, customer: APIClient, query: dict[str, str]) -> None:
        response = customer.get(f"{RESOURCES}{room().id}/availability/", query)
        assert (response.status_code, response.json()["code"]) == (400, "invalid")

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
    @pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31"])
    def test_survives_the_ends_of_time(self, customer: APIClient, settings: Settings, zone: str, day: str) -> None:
        settings.TICKETS_TIME_ZONE = zone
        assert free(customer, room(), day) == []

    def test_changes_nothing(self, customer: APIClient) -> None:
        resource = room()
        with leaving_nothing():
            free(customer, resource)


def test_noon_is_on_a_saturday() -> None:
    """Guards the tests above, whose hours are a Saturday's."""
    assert NOON.weekday() == SATURDAY
    assert after(0) == NOON < datetime(2026, 5, 3, tzinfo=timezone.get_fixed_timezone(0))

"""Bookings of resources over HTTP: made, confirmed, cancelled, and every refusal."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from bookings.models import Booking, Refund, Resource
from bookings.services import cancel_booking, complete_booking, confirm_booking, mark_no_show
from tests.bookings.published import names, payload
from tests.bookings.rooms import SATURDAY, SUNDAY, after, book, room
from tests.bookings.traces import entry, leaving_nothing, set_clock
from tests.factories import NOON, ShowFactory, TicketTypeFactory, staff_act
from tickets_project.notifications.models import Notification

pytestmark = pytest.mark.django_db

BOOKINGS = "/api/v1/bookings/"


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch, customer: APIClient, staff: APIClient, somebody: APIClient) -> None:
    # Their tokens are made first: they would be too old.
    del customer, staff, somebody
    set_clock(monkeypatch, NOON)


def told(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def body(resource: Resource, start: float = 1, end: float = 3, **fields: Any) -> dict[str, Any]:
    times = {"start_time": told(after(start)), "end_time": told(after(end))}
    return {"resource_id": str(resource.id), **times, **fields}


def post(client: APIClient, *given: Any, key: str | None = None, **fields: Any) -> Any:
    return client.post(BOOKINGS, body(*given, **fields), headers={"Idempotency-Key": key} if key else {})


def ask(client: APIClient, booking: Booking, what: str, **fields: Any) -> Any:
    return client.post(f"{BOOKINGS}{booking.id}/{what}/", fields)


class TestBookingsViewPost:
    def test_holds_the_slot_for_the_caller(self, customer: APIClient, ada: User) -> None:
        resource = room()
        response = post(customer, resource)
        booking = Booking.objects.get()
        assert (response.status_code, response.json()) == (
            201,
            {
                "booking_id": str(booking.id),
                "status": "pending",
                "show_id": None,
                "resource_id": str(resource.id),
                "title": "Blue room",
                "location": "First floor",
                "number_of_tickets": 1,
                "customer_email": ada.email,
                "confirmation_code": None,
                "start_time": "2026-05-02T13:00:00Z",
                "end_time": "2026-05-02T15:00:00Z",
                "price": {"amount": "20.00", "currency": "EUR"},
                "created_at": "2026-05-02T12:00:00Z",
                "confirmed_at": None,
                "cancelled_at": None,
                "refund_amount": None,
                "tickets": [],
            },
        )
        assert (booking.owner, booking.seats_held) == (ada, 0)

    @pytest.mark.parametrize("kind", ["room", "equipment", "service"])
    def test_tells_of_it(self, customer: APIClient, ada: User, kind: str) -> None:
        resource = room(type=kind)
        post(customer, resource)
        assert names() == ["booking.created"]
        assert payload("booking.created") == {
            "booking_id": str(Booking.objects.get().id),
            "user_id": ada.pk,
            "resource_type": kind,
            "resource_id": str(resource.id),
            "start_time": "2026-05-02T13:00:00Z",
            "end_time": "2026-05-02T15:00:00Z",
            "price": "20.00",
            "currency": "EUR",
        }
        made = entry("booking_created")
        assert (made.old, made.new, made.actor) == ("", "pending", ada)

    @pytest.mark.parametrize(
        ("hourly", "hours", "price"),
        [
            ("10.00", 2, "20.00"),
            ("0.01", 0.5, "0.01"),
            ("9.99", 0.25, "2.50"),
            ("0", 24, "0.00"),
            ("10", 1 / 3, "3.33"),
        ],
    )
    def test_prices_the_time_to_the_cent(self, customer: APIClient, hourly: str, hours: float, price: str) -> None:
        answered = post(customer, room(amount=hourly), 1, 1 + hours).json()
        assert answered["price"] == {"amount": price, "currency": "EUR"}

    def test_can_price_the_dearest_slot_and_its_ticket(self, customer: APIClient, staff: APIClient) -> None:
        resource = room(amount="100000.00", ticket_type="standard")
        made = post(customer, resource, 1, 1 + 31 * 24).json()
        assert made["price"]["amount"] == "74400000.00"
        confirmed = ask(staff, Booking.objects.get(), "confirm").json()
        assert confirmed["data"]["tickets"][0]["price"]["amount"] == "74400000.00"

    def test_takes_other_offsets(self, customer: APIClient) -> None:
        given = body(room()) | {"start_time": "2026-05-02T15:00:00+02:00", "end_time": "2026-05-02T15:00:00Z"}
        assert customer.post(BOOKINGS, given).json()["start_time"] == "2026-05-02T13:00:00Z"

    def test_takes_a_slot_that_begins_now(self, customer: APIClient) -> None:
        assert post(customer, room(), 0, 1).status_code == 201

    @pytest.mark.parametrize(("start", "end"), [(1, 3), (0, 2), (2, 4), (0, 4), (1.5, 2.5), (2.999, 3.5)])
    def test_refuses_a_slot_that_overlaps(self, customer: APIClient, start: float, end: float) -> None:
        resource = room()
        book(resource, 1, 3)
        with leaving_nothing():
            response = post(customer, resource, start, end)
        assert (response.status_code, response.json()["code"]) == (409, "slot_taken")
        assert response.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize(("start", "end"), [(0, 1), (3, 4)])
    def test_takes_a_slot_that_touches(self, customer: APIClient, start: float, end: float) -> None:
        resource = room()
        book(resource, 1, 3)
        assert post(customer, resource, start, end).status_code == 201

    def test_takes_the_same_slot_of_another_resource(self, customer: APIClient) -> None:
        book(room(), 1, 3)
        assert post(customer, room()).status_code == 201

    def test_refuses_a_slot_that_is_confirmed(self, customer: APIClient) -> None:
        resource = room()
        confirm_booking(booking_id=book(resource, 1, 3).id, act=staff_act(), payment_id=None)
        assert post(customer, resource).json()["code"] == "slot_taken"

    def test_takes_a_slot_that_is_free_again(self, customer: APIClient) -> None:
        resource = room()
        for _ in range(2):
            cancel_booking(booking_id=book(resource, 1, 3).id, act=staff_act())
        assert post(customer, resource).status_code == 201

    @pytest.mark.parametrize("end", [complete_booking, mark_no_show])
    def test_takes_a_slot_whose_booking_has_ended(self, customer: APIClient, end: Any) -> None:
        resource = room()
        booking = confirm_booking(booking_id=book(resource, 1, 3).id, act=staff_act(), payment_id=None)
        end(booking_id=booking.id, act=staff_act())
        assert post(customer, resource).status_code == 201

    @pytest.mark.parametrize("start", [-1, -1 / 3600])
    def test_refuses_a_slot_in_the_past(self, customer: APIClient, start: float) -> None:
        resource = room()
        with leaving_nothing():
            response = post(customer, resource, start, 3)
        assert (response.status_code, response.json()["code"]) == (409, "slot_in_the_past")

    @pytest.mark.parametrize(("start", "end"), [(0, 2), (5, 7), (7, 8), (25, 26), (3, 28)])
    def test_refuses_a_slot_outside_opening_hours(self, customer: APIClient, start: float, end: float) -> None:
        resource = room(hours=[(SATURDAY, time(13), time(18)), (SUNDAY, time(16), time(18))])
        with leaving_nothing():
            response = post(customer, resource, start, end)
        assert (response.status_code, response.json()["code"]) == (409, "outside_opening_hours")

    def test_reads_opening_hours_where_the_house_is(self, customer: APIClient, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = "Europe/Madrid"
        resource = room(hours=[(SATURDAY, time(15), time(17))])
        assert post(customer, resource, 1, 3).status_code == 201
        assert post(customer, resource, 3, 4).json()["code"] == "outside_opening_hours"

    def test_takes_a_night_between_two_days(self, customer: APIClient) -> None:
        resource = room(hours=[(SATURDAY, time(18), time(0)), (SUNDAY, time(0), time(2))])
        assert post(customer, resource, 8, 14).status_code == 201

    def test_refuses_an_unknown_resource(self, customer: APIClient) -> None:
        response = customer.post(BOOKINGS, body(Resource(id=uuid4())))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"start_time": None}, ["start_time"]),
            ({"start_time": "2026-05-02T13:00:00"}, ["start_time"]),
            ({"start_time": "2026-05-02"}, ["start_time"]),
            ({"end_time": "tomorrow"}, ["end_time"]),
            ({"end_time": told(after(1))}, ["end_time"]),
            ({"end_time": told(after(0))}, ["end_time"]),
            ({"end_time": told(after(1 + 31 * 24) + timedelta(microseconds=1))}, ["end_time"]),
            ({"end_time": "9999-12-31T23:59:59Z"}, ["end_time"]),
            ({"number_of_tickets": 1}, ["number_of_tickets"]),
            ({"show_id": str(uuid4())}, ["show_id"]),
            ({"resource_id": "7"}, ["resource_id"]),
            ({"resource_id": None}, ["resource_id"]),
            ({"price": {"amount": "0", "currency": "EUR"}}, ["price"]),
            ({"notes": "with a view"}, ["notes"]),
        ],
    )
    def test_names_the_field_that_is_wrong(self, customer: APIClient, fields: dict[str, Any], wrong: list[str]) -> None:
        resource = room()
        with leaving_nothing():
            response = post(customer, resource, **fields)
        assert (response.status_code, list(response.json()["errors"])) == (400, wrong)

    @pytest.mark.parametrize("missing", ["start_time", "end_time"])
    def test_names_the_field_that_is_missing(self, customer: APIClient, missing: str) -> None:
        given = body(room())
        del given[missing]
        assert customer.post(BOOKINGS, given).json()["errors"] == {missing: ["This field is required."]}

    def test_says_what_a_booking_of_nothing_needs(self, customer: APIClient) -> None:
        assert list(customer.post(BOOKINGS, {}).json()["errors"]) == ["show_id", "number_of_tickets"]

    def test_takes_no_times_for_a_show(self, customer: APIClient) -> None:
        given = {"show_id": str(ShowFactory.create().id), "number_of_tickets": 1, "start_time": told(after(1))}
        assert list(customer.post(BOOKINGS, given).json()["errors"]) == ["start_time"]

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
    def test_survives_the_end_of_time(self, customer: APIClient, settings: Settings, zone: str) -> None:
        settings.TICKETS_TIME_ZONE = zone
        given = {"start_time": "9999-12-31T00:00:00Z", "end_time": "9999-12-31T23:59:59Z"}
        assert post(customer, room(), **given).json()["code"] == "outside_opening_hours"

    def test_refuses_a_very_long_time_quickly(self, customer: APIClient) -> None:
        resource, before = room(), perf_counter()
        assert post(customer, resource, end_time="9000-01-01T00:00:00Z").status_code == 400
        assert perf_counter() - before < 1

    def test_books_once_under_one_key(self, customer: APIClient) -> None:
        resource = room()
        first, second = (post(customer, resource, key="k") for _ in range(2))
        assert (first.status_code, first.content) == (201, second.content)
        assert Booking.objects.count() == 1
        assert post(customer, resource, 5, 6, key="k").status_code == 422

    def test_takes_a_refused_key_again(self, customer: APIClient) -> None:
        resource = room()
        taken = book(resource, 1, 3)
        assert post(customer, resource, key="k").status_code == 409
        cancel_booking(booking_id=taken.id, act=staff_act())
        assert post(customer, resource, key="k").status_code == 201

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        resource = room()
        with leaving_nothing():
            assert post(nobody, resource).status_code == 401


class TestBookingsViewGet:
    def test_finds_bookings_of_resources(self, customer: APIClient, staff: APIClient) -> None:
        made = post(customer, room()).json()["booking_id"]
        book(room(name="Red room"), 5, 6)
        at = {"from": told(after(1)), "to": told(after(1))}
        for client in (customer, staff):
            for query in (at, {"search": "blue"}, {"status": "pending", "search": "Blue room"}):
                found = client.get(BOOKINGS, query).json()["results"]
                assert [booking["booking_id"] for booking in found] == [made]


class TestConfirmBookingView:
    def test_makes_no_ticket_without_a_type(self, customer: APIClient, ada: User) -> None:
        booking = book(room(), 1, 3, owner=ada)
        assert ask(customer, booking, "confirm").json()["code"] == "payment_required"
        answered = ask(customer, booking, "confirm", payment_id="pay-1").json()
        assert (answered["data"]["status"], answered["data"]["tickets"]) == ("confirmed", [])
        assert names()[-2:] == ["booking.confirmed", "SendNotification"]
        context = Notification.objects.get().context
        assert (context["location"], context["tickets_count"]) == ("First floor", 0)
        assert (context["start_time"], context["end_time"]) == ("2026-05-02T13:00:00Z", "2026-05-02T15:00:00Z")

    def test_makes_one_ticket_of_its_type(self, staff: APIClient) -> None:
        TicketTypeFactory.create(name="pass", activation="on_confirmation")
        booking = book(room(ticket_type="pass"), 1, 3)
        [ticket] = ask(staff, booking, "confirm").json()["data"]["tickets"]
        assert ticket["price"] == {"amount": "20.00", "currency": "EUR"}
        assert (ticket["status"], ticket["ticket_type"], ticket["title"]) == ("active", "pass", "Blue room")
        assert (ticket["valid_from"], ticket["valid_until"]) == ("2026-05-02T13:00:00Z", "2026-05-02T15:00:00Z")


class TestCancelBookingView:
    @pytest.mark.parametrize(("hours", "refund"), [(24, "20.00"), (23.9, "10.00"), (6, "10.00"), (5.9, "0.00")])
    def test_follows_the_policy(self, customer: APIClient, ada: User, hours: float, refund: str) -> None:
        booking = book(room(), hours, hours + 2, owner=ada)
        confirm_booking(booking_id=booking.id, act=staff_act(), payment_id=None)
        assert customer.get(f"{BOOKINGS}{booking.id}/cancel/").json()["refund_amount"] == refund
        assert ask(customer, booking, "cancel").json()["data"]["refund_amount"] == refund
        left_to_a_person = [(row.status, row.amount) for row in Refund.objects.all()]
        assert left_to_a_person == ([("manual", Decimal(refund))] if Decimal(refund) else [])

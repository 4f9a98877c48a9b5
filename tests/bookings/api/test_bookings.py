"""Bookings over HTTP: making and reading them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.models import Booking
from tests.bookings.published import names
from tests.factories import NOON, ShowFactory, UserFactory, confirmed_booking, pending_booking
from tests.tickets_project.api.clients import with_token
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db

BOOKINGS = "/api/v1/bookings/"


def body(**fields: Any) -> dict[str, Any]:
    show_id = fields.pop("show_id", None) or str(ShowFactory.create().id)
    return {"show_id": show_id, "number_of_tickets": 2} | fields


def ids(response: Any) -> list[str]:
    return [booking["booking_id"] for booking in response.json()["results"]]


class TestBookingsViewPost:
    def test_holds_seats_for_the_caller(self, customer: APIClient, ada: User) -> None:
        show = ShowFactory.create(start_time=NOON + timedelta(days=36500))
        response = customer.post(BOOKINGS, body(show_id=str(show.id)))
        booking = Booking.objects.get()
        answered = response.json()
        assert response.status_code == 201
        assert answered.pop("created_at").endswith("Z")
        assert answered == {
            "booking_id": str(booking.id),
            "status": "pending",
            "show_id": str(show.id),
            "resource_id": None,
            "title": "Carmen",
            "location": "Teatro Real, Madrid",
            "number_of_tickets": 2,
            "customer_email": ada.email,
            "confirmation_code": None,
            "start_time": "2126-04-08T12:00:00Z",
            "end_time": None,
            "price": {"amount": "20.00", "currency": "EUR"},
            "confirmed_at": None,
            "cancelled_at": None,
            "refund_amount": None,
            "tickets": [],
        }
        assert booking.owner == ada

    def test_takes_another_address(self, customer: APIClient) -> None:
        response = customer.post(BOOKINGS, body(customer_email="eve@customers.example"))
        assert response.json()["customer_email"] == "eve@customers.example"

    def test_needs_an_address_when_the_account_has_none(self) -> None:
        client = with_token(UserFactory.create(email=""))
        response = client.post(BOOKINGS, body())
        assert (response.status_code, list(response.json()["errors"])) == (400, ["customer_email"])
        assert client.post(BOOKINGS, body(customer_email="eve@customers.example")).status_code == 201

    def test_refuses_an_unknown_show(self, customer: APIClient) -> None:
        response = customer.post(BOOKINGS, body(show_id=str(uuid4())))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("number_of_tickets", 0),
            ("number_of_tickets", -2),
            ("number_of_tickets", 1001),
            ("number_of_tickets", 2**63 - 1),
            ("number_of_tickets", 1.5),
            ("number_of_tickets", None),
            ("number_of_tickets", True),
            ("number_of_tickets", [2]),
            ("show_id", "7"),
            ("show_id", ["7"]),
            ("customer_email", "ada"),
            ("customer_email", ""),
            ("customer_email", None),
            ("customer_email", "a\0da@customers.example"),
            ("customer_email", "a" * 250 + "@customers.example"),
            ("customer_email", {"work": "ada@customers.example"}),
            ("email", "ada@customers.example"),
            ("status", "confirmed"),
            ("price", {"amount": "0", "currency": "EUR"}),
        ],
    )
    def test_names_the_field_that_is_wrong(self, customer: APIClient, field: str, value: object) -> None:
        response = customer.post(BOOKINGS, body() | {field: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])
        assert names() == []

    def test_says_how_many_seats_are_left(self, customer: APIClient) -> None:
        show = ShowFactory.create(number_of_tickets=1)
        response = customer.post(BOOKINGS, body(show_id=str(show.id)))
        problem = response.json()
        assert (response.status_code, problem["code"], problem["seats_left"]) == (409, "not_enough_tickets", 1)
        assert names() == []

    def test_refuses_a_show_that_has_started(self, customer: APIClient) -> None:
        show = ShowFactory.create(start_time=timezone.now() - timedelta(minutes=1))
        response = customer.post(BOOKINGS, body(show_id=str(show.id)))
        assert (response.status_code, response.json()["code"]) == (409, "show_has_started")

    def test_books_once_under_one_key(self, customer: APIClient) -> None:
        asked = body()
        first, second = (customer.post(BOOKINGS, asked, headers={"Idempotency-Key": "k"}) for _ in range(2))
        assert (first.status_code, first.content) == (201, second.content)
        assert Booking.objects.count() == 1
        assert names() == ["booking.created", "BookingMade_v1"]

    def test_refuses_the_key_for_another_body(self, customer: APIClient) -> None:
        asked = body()
        customer.post(BOOKINGS, asked, headers={"Idempotency-Key": "k"})
        response = customer.post(BOOKINGS, asked | {"number_of_tickets": 3}, headers={"Idempotency-Key": "k"})
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
        assert Booking.objects.count() == 1

    def test_takes_a_refused_key_again(self, customer: APIClient) -> None:
        show = ShowFactory.create(number_of_tickets=1)
        asked = body(show_id=str(show.id))
        assert customer.post(BOOKINGS, asked, headers={"Idempotency-Key": "k"}).status_code == 409
        type(show).objects.update(number_of_tickets=2)
        assert customer.post(BOOKINGS, asked, headers={"Idempotency-Key": "k"}).status_code == 201

    def test_stores_the_request_s_trace_with_its_messages(self, customer: APIClient) -> None:
        traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        response = customer.post(BOOKINGS, body(), headers={"Correlation-ID": "door-7", "traceparent": traceparent})
        assert response.headers["Correlation-ID"] == "door-7"
        messages = list(Message.objects.all())
        assert len(messages) == 2
        for message in messages:
            assert message.headers == {
                "correlation_id": "door-7",
                "causation_id": None,
                "idempotency_key": str(message.id),
                "traceparent": traceparent,
            }

    def test_refuses_a_body_that_is_too_large(self, customer: APIClient) -> None:
        response = customer.post(BOOKINGS, body(customer_email="a" * 3_000_000))
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.post(BOOKINGS, body()).status_code == 401
        assert not Booking.objects.exists()

    def test_answers_both_slash_forms(self, customer: APIClient) -> None:
        assert customer.post(BOOKINGS.rstrip("/"), body()).status_code == 201
        assert len(ids(customer.get(BOOKINGS.rstrip("/")))) == 1


class TestBookingsViewGet:
    def test_lists_the_caller_s_own(self, customer: APIClient, staff: APIClient, ada: User) -> None:
        own, others = pending_booking(owner=ada), pending_booking()
        assert ids(customer.get(BOOKINGS)) == [str(own.id)]
        assert set(ids(staff.get(BOOKINGS))) == {str(own.id), str(others.id)}

    def test_lists_the_newest_first(self, customer: APIClient, ada: User) -> None:
        made = [pending_booking(owner=ada, at=NOON + timedelta(minutes=minute)) for minute in (2, 1, 3)]
        expected = [str(made[index].id) for index in (2, 0, 1)]
        assert ids(customer.get(BOOKINGS)) == expected
        first = customer.get(BOOKINGS, {"page_size": 2})
        assert ids(first) + ids(customer.get(first.json()["next"])) == expected

    def test_filters_by_status(self, staff: APIClient) -> None:
        pending, confirmed = pending_booking(), confirmed_booking()
        assert ids(staff.get(BOOKINGS, {"status": "confirmed"})) == [str(confirmed.id)]
        assert ids(staff.get(BOOKINGS, {"status": "pending"})) == [str(pending.id)]

    def test_filters_by_the_show_s_start(self, staff: APIClient) -> None:
        start = timezone.now().replace(microsecond=0) + timedelta(days=1)
        booking = pending_booking(show=ShowFactory.create(start_time=start))
        second = timedelta(seconds=1)
        for limits, found in [
            ({"from": start}, True),
            ({"from": start + second}, False),
            ({"to": start}, True),
            ({"to": start - second}, False),
            ({"from": start, "to": start}, True),
        ]:
            texts = {name: at.isoformat() for name, at in limits.items()}
            assert ids(staff.get(BOOKINGS, texts)) == ([str(booking.id)] if found else [])

    @pytest.mark.parametrize("search", ["{code}", "{lower}", " {code} ", "ADA@customers.example", "carm", "Jazz @"])
    def test_finds_what_a_customer_can_quote(self, staff: APIClient, ada: User, search: str) -> None:
        title = "Jazz @ Night" if search == "Jazz @" else "Carmen"
        booking = confirmed_booking(owner=ada, show=ShowFactory.create(title=title))
        confirmed_booking(show=ShowFactory.create(title="100% Nabucco, not carm"))
        code = booking.confirmation_code or ""
        text = search.format(code=code, lower=code.lower())
        assert ids(staff.get(BOOKINGS, {"search": text})) == [str(booking.id)]

    @pytest.mark.parametrize("search", ["armen", "%", "_armen", "customers.example", "ada@", "AAAAAAAAAA", "\\"])
    def test_finds_nothing_by_a_part(self, staff: APIClient, ada: User, search: str) -> None:
        confirmed_booking(owner=ada)
        assert ids(staff.get(BOOKINGS, {"search": search})) == []

    def test_does_not_find_other_people_s(self, customer: APIClient) -> None:
        code = confirmed_booking().confirmation_code or ""
        assert ids(customer.get(BOOKINGS, {"search": code})) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("status", "odd"),
            ("from", "yesterday"),
            ("to", "2026-13-01T00:00:00Z"),
            ("from", "2026-01-01T00:00:00"),
            ("page_size", "0"),
            ("cursor", "odd"),
        ],
    )
    def test_refuses_odd_filters(self, staff: APIClient, name: str, value: str) -> None:
        response = staff.get(BOOKINGS, {name: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [name])

    @pytest.mark.parametrize("name", ["search", "status", "cursor"])
    def test_refuses_nul_in_a_filter(self, staff: APIClient, name: str) -> None:
        assert staff.get(BOOKINGS, {name: "\0"}).status_code == 400

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_survives_the_ends_of_time(self, staff: APIClient, time: str) -> None:
        assert staff.get(BOOKINGS, {"from": time}).status_code in {200, 400}

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: APIClient, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(4):
            confirmed_booking()
        with django_assert_max_num_queries(9):
            staff.get(BOOKINGS)

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.get(BOOKINGS).status_code == 401


class TestBookingView:
    def test_answers_its_owner_and_staff(self, customer: APIClient, staff: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        own, seen = (client.get(f"{BOOKINGS}{booking.id}/").json() for client in (customer, staff))
        assert own == seen
        assert (own["confirmation_code"], len(own["tickets"])) == (booking.confirmation_code, 2)
        assert own["confirmed_at"].endswith("Z")

    def test_does_not_tell_others_that_it_exists(self, somebody: APIClient) -> None:
        booking = pending_booking()
        for booking_id in (booking.id, uuid4()):
            response = somebody.get(f"{BOOKINGS}{booking_id}/")
            assert (response.status_code, response.json()["detail"]) == (404, "Not found.")

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.get(f"{BOOKINGS}{pending_booking().id}/").status_code == 401

"""Shows over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.models import Show
from tests.factories import ShowFactory, TicketTypeFactory, pending_booking, show_of

pytestmark = pytest.mark.django_db

SHOWS = "/api/v1/shows/"
MANY = 10**30


def body(**fields: Any) -> dict[str, Any]:
    return {
        "title": "Carmen",
        "venue": "Teatro Real",
        "start_time": "2126-05-02T20:00:00+02:00",
        "number_of_tickets": 10,
        "price": {"amount": "50.30", "currency": "EUR"},
    } | fields


class TestShowsViewPost:
    def test_puts_a_show_up(self, staff: APIClient) -> None:
        response = staff.post(SHOWS, body())
        show = Show.objects.get()
        assert (response.status_code, response.json()) == (
            201,
            {
                "show_id": str(show.id),
                "title": "Carmen",
                "venue": "Teatro Real",
                "start_time": "2126-05-02T18:00:00Z",
                "end_time": None,
                "doors_time": "2126-05-02T15:00:00Z",
                "number_of_tickets": 10,
                "seats_left": 10,
                "price": {"amount": "50.30", "currency": "EUR"},
                "ticket_type": "standard",
                "dead_nation_id": None,
            },
        )

    def test_takes_the_optional_fields(self, staff: APIClient) -> None:
        TicketTypeFactory.create(name="vip")
        vendor = str(uuid4())
        times = {"end_time": "2126-05-02T22:00:00Z", "doors_time": "2126-05-02T18:00:00Z"}
        given = {**times, "ticket_type": "vip", "dead_nation_id": vendor}
        assert staff.post(SHOWS, body(**given)).json().items() >= given.items()

    def test_takes_null_for_what_may_be_left_out(self, staff: APIClient) -> None:
        assert staff.post(SHOWS, body(end_time=None, doors_time=None, dead_nation_id=None)).status_code == 201

    def test_is_for_staff(self, customer: APIClient, nobody: APIClient) -> None:
        assert customer.post(SHOWS, body()).status_code == 403
        assert nobody.post(SHOWS, body()).status_code == 401
        assert not Show.objects.exists()

    def test_puts_it_up_once_under_one_key(self, staff: APIClient) -> None:
        first, second = (staff.post(SHOWS, body(), headers={"Idempotency-Key": "k"}) for _ in range(2))
        assert first.json() == second.json()
        assert Show.objects.count() == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("rows", 3),
            ("show_id", "5cb71d2e-3f44-4c0b-9a6e-1f0b7a2d9c11"),
            ("seats_held", 0),
            ("title", ""),
            ("title", "  "),
            ("title", None),
            ("title", ["Carmen"]),
            ("title", {"en": "Carmen"}),
            ("title", True),
            ("title", "x" * 201),
            ("title", "Car\0men"),
            ("venue", "x" * 201),
            ("venue", "Teatro\0"),
            ("start_time", "2020-01-01T00:00:00Z"),
            ("start_time", "2126-05-02T20:00:00"),
            ("start_time", "2126-05-02"),
            ("start_time", "2126-02-30T20:00:00Z"),
            ("start_time", "0001-01-01T00:00:00+14:00"),
            ("start_time", "9999-12-31T23:59:59-14:00"),
            ("start_time", 4_934_000_000),
            ("start_time", None),
            ("end_time", "2126-05-02T20:00:00+02:00"),
            ("end_time", "2126-05-02T17:00:00Z"),
            ("end_time", "2126-05-02T22:00:00"),
            ("doors_time", "2126-05-02T18:00:01Z"),
            ("doors_time", "2126-05-02T17:00:00"),
            ("number_of_tickets", 0),
            ("number_of_tickets", -1),
            ("number_of_tickets", 1.5),
            ("number_of_tickets", "ten"),
            ("number_of_tickets", True),
            ("number_of_tickets", 1_000_001),
            ("number_of_tickets", 2**63 - 1),
            ("number_of_tickets", [10]),
            ("price", {"amount": "-1", "currency": "EUR"}),
            ("price", {"amount": 50.3, "currency": "EUR"}),
            ("price", {"amount": "1.001", "currency": "EUR"}),
            ("price", {"amount": "1e3", "currency": "EUR"}),
            ("price", {"amount": "NaN", "currency": "EUR"}),
            ("price", {"amount": "100000000", "currency": "EUR"}),
            ("price", {"amount": "1", "currency": "eur"}),
            ("price", {"amount": "1", "currency": "XXX"}),
            ("price", {"amount": "1"}),
            ("price", {"amount": "1", "currency": "EUR", "tax": "0"}),
            ("price", "50.30 EUR"),
            ("ticket_type", ""),
            ("ticket_type", "v\0ip"),
            ("dead_nation_id", "7"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, staff: APIClient, field: str, value: object) -> None:
        response = staff.post(SHOWS, body(**{field: value}))
        assert (response.status_code, response.json()["code"]) == (400, "invalid")
        assert list(response.json()["errors"]) == [field]
        assert not Show.objects.exists()

    @pytest.mark.parametrize("field", list(body()))
    def test_names_the_field_that_is_missing(self, staff: APIClient, field: str) -> None:
        given = body()
        del given[field]
        assert staff.post(SHOWS, given).json()["errors"] == {field: ["This field is required."]}

    def test_refuses_an_unknown_ticket_type(self, staff: APIClient) -> None:
        response = staff.post(SHOWS, body(ticket_type="vip"))
        assert (response.status_code, response.json()["code"]) == (400, "unknown_ticket_type")
        assert not Show.objects.exists()

    @pytest.mark.parametrize("raw", ['{"title": "\\ud800"}', f'{{"number_of_tickets": {MANY}}}', "[]", "{", ""])
    def test_refuses_a_body_that_not_every_reader_understands(self, staff: APIClient, raw: str) -> None:
        response = staff.post(SHOWS, raw, content_type="application/json")
        assert response.status_code == 400
        assert not Show.objects.exists()


class TestShowsViewGet:
    def test_lists_the_earliest_first(self, customer: APIClient) -> None:
        now = timezone.now()
        for days in (2, 1, 3):
            ShowFactory.create(title=str(days), start_time=now + timedelta(days=days))
        listed = customer.get(SHOWS).json()
        assert [show["title"] for show in listed["results"]] == ["1", "2", "3"]
        assert (listed["next"], listed["previous"]) == (None, None)

    def test_is_cut_into_pages(self, customer: APIClient) -> None:
        ShowFactory.create_batch(3)
        first = customer.get(SHOWS, {"page_size": 2}).json()
        second = customer.get(first["next"]).json()
        assert len({show["show_id"] for show in first["results"] + second["results"]}) == 3

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.get(SHOWS).status_code == 401

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, customer: APIClient, django_assert_max_num_queries: Any
    ) -> None:
        ShowFactory.create_batch(5)
        with django_assert_max_num_queries(3):
            customer.get(SHOWS)


class TestShowView:
    def test_tells_the_seats_left(self, customer: APIClient) -> None:
        show = show_of(pending_booking(seats=3))
        told = customer.get(f"{SHOWS}{show.id}/").json()
        assert (told["show_id"], told["number_of_tickets"], told["seats_left"]) == (str(show.id), 10, 7)

    def test_answers_both_slash_forms(self, customer: APIClient, staff: APIClient) -> None:
        show = ShowFactory.create()
        assert customer.get(f"{SHOWS}{show.id}").status_code == 200
        assert staff.post(SHOWS.rstrip("/"), body()).status_code == 201

    def test_is_404_for_an_unknown_show(self, customer: APIClient) -> None:
        for unknown in (uuid4(), "7"):
            assert customer.get(f"{SHOWS}{unknown}/").status_code == 404

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.get(f"{SHOWS}{ShowFactory.create().id}/").status_code == 401

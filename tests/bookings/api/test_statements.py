"""How often a booking and a scan ask the database, COMMIT included: each time costs both sides more than it looks."""

from contextlib import nullcontext
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tests.bookings.tickets import active_ticket, pending_ticket
from tests.factories import ShowFactory, StaffFactory
from tests.pages import logged_in
from tests.tickets_project.api.clients import with_token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def door(db: None) -> User:  # noqa: ARG001 - opens the database
    person: User = StaffFactory.create(role="door")
    return person


def post(client: APIClient | Client, path: str, body: dict[str, Any], **headers: str) -> int:
    return int(client.post(path, body, headers=headers).status_code)


class TestBookingsView:
    @pytest.mark.parametrize(("headers", "statements"), [({}, 8), ({"Idempotency-Key": "k"}, 13)])
    def test_asks_no_more_often_than_it_must(
        self,
        customer: APIClient,
        django_assert_num_queries: DjangoAssertNumQueries,
        headers: dict[str, str],
        statements: int,
    ) -> None:
        show = ShowFactory.create()
        with django_assert_num_queries(statements):
            status = post(customer, "/api/v1/bookings/", {"show_id": str(show.id), "number_of_tickets": 2}, **headers)
        assert status == 201


class TestRedeemTicketView:
    @pytest.mark.parametrize(("nonce", "statements"), [("n1", 13), (None, 11)])
    def test_asks_no_more_often_than_it_must(
        self, door: User, django_assert_num_queries: DjangoAssertNumQueries, nonce: str | None, statements: int
    ) -> None:
        client, code = with_token(door), active_ticket().redemption_code
        with django_assert_num_queries(statements):
            status = post(client, "/api/v1/admin/tickets/redeem/", {"redemption_code": code, "nonce": nonce})
        assert status == 200

    def test_refuses_with_no_more(self, door: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        client, code = with_token(door), pending_ticket().redemption_code
        with django_assert_num_queries(11):
            status = post(client, "/api/v1/admin/tickets/redeem/", {"redemption_code": code, "nonce": "n1"})
        assert status == 409


class TestScanPage:
    def test_asks_no_more_often_than_it_must(
        self, door: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = logged_in(door)
        for latest in range(4):
            body = {"code": active_ticket().redemption_code, "nonce": str(latest)}
            # Where one stands is remembered with the first scan.
            with django_assert_num_queries(16) if latest else nullcontext():
                assert post(client, "/admin/scan/", body, **{"X-Requested-With": "scan.js"}) == 200

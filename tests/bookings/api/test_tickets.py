"""Tickets over HTTP: lists, documents and QR codes."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from bookings.models import Ticket
from bookings.qr_links import qr_code_url
from bookings.services import record_printed
from tests.factories import NOON, confirmed_booking, only_ticket
from tests.tickets_project.test_qr_codes import decoded
from tickets_project.gateway import files

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets/"


@pytest.fixture
def ticket(ada: User) -> Ticket:
    return only_ticket(confirmed_booking(owner=ada, seats=1))


def printed(ticket: Ticket) -> Ticket:
    record_printed(ticket_id=ticket.id, file_name=f"{ticket.id}-ticket.html", at=NOON)
    return ticket


def ids(response: Any) -> list[str]:
    return [ticket["ticket_id"] for ticket in response.json()["results"]]


def document(client: APIClient, ticket: Ticket, **headers: str) -> Any:
    return client.get(f"{TICKETS}{ticket.id}/document/", headers=headers)


class TestTicketsView:
    def test_lists_the_caller_s_own(self, customer: APIClient, staff: APIClient, ticket: Ticket) -> None:
        other = only_ticket(confirmed_booking(seats=1))
        assert ids(customer.get(TICKETS)) == [str(ticket.id)]
        assert set(ids(staff.get(TICKETS))) == {str(ticket.id), str(other.id)}

    def test_filters(self, staff: APIClient, ticket: Ticket) -> None:
        printed(ticket)
        other = only_ticket(confirmed_booking(seats=1))
        expected: list[tuple[str, str, list[Ticket]]] = [
            ("printed", "true", [ticket]),
            ("printed", "false", [other]),
            ("booking", str(other.booking_id), [other]),
            ("booking", str(uuid4()), []),
            ("status", "active", []),
        ]
        for name, value, found in expected:
            assert ids(staff.get(TICKETS, {name: value})) == [str(ticket.id) for ticket in found]
        assert len(ids(staff.get(TICKETS, {"status": "pending"}))) == 2

    @pytest.mark.parametrize(("name", "value"), [("status", "odd"), ("booking", "7")])
    def test_refuses_odd_filters(self, staff: APIClient, name: str, value: str) -> None:
        response = staff.get(TICKETS, {name: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [name])

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.get(TICKETS).status_code == 401


class TestTicketView:
    def test_answers_its_owner_and_staff(self, customer: APIClient, staff: APIClient, ticket: Ticket) -> None:
        url = f"{TICKETS}{ticket.id}/"
        assert customer.get(url).json() == staff.get(url).json() == customer.get(url.rstrip("/")).json()
        assert customer.get(url).json() == {
            "ticket_id": str(ticket.id),
            "booking_id": str(ticket.booking_id),
            "status": "pending",
            "title": "Carmen",
            "ticket_type": "standard",
            "customer_email": "ada@customers.example",
            "price": {"amount": "10.00", "currency": "EUR"},
            "redemption_code": ticket.redemption_code,
            "valid_from": None,
            "valid_until": None,
            "redeemed_at": None,
            "printed_at": None,
            "file_name": None,
            "receipt_number": None,
            "refunded_at": None,
        }

    def test_tells_that_it_is_printed(self, customer: APIClient, ticket: Ticket) -> None:
        told = customer.get(f"{TICKETS}{printed(ticket).id}/").json()
        assert (told["printed_at"], told["file_name"]) == ("2026-05-02T12:00:00Z", f"{ticket.id}-ticket.html")

    @pytest.mark.parametrize("path", ["", "document/", "qr.svg"])
    def test_does_not_tell_others_that_it_exists(
        self, somebody: APIClient, nobody: APIClient, ticket: Ticket, path: str
    ) -> None:
        assert somebody.get(f"{TICKETS}{printed(ticket).id}/{path}").status_code == 404
        assert somebody.get(f"{TICKETS}{uuid4()}/{path}").status_code == 404
        assert nobody.get(f"{TICKETS}{ticket.id}/{path}").status_code == 401


class TestTicketDocumentView:
    @pytest.mark.usefixtures("simulator")
    def test_is_404_until_it_is_printed(self, customer: APIClient, ticket: Ticket) -> None:
        response = document(customer, ticket)
        assert (response.status_code, response.json()["code"]) == (404, "not_printed_yet")

    @pytest.mark.parametrize("accept", ["*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8"])
    @pytest.mark.usefixtures("simulator")
    def test_answers_what_is_stored_in_a_sandbox(self, customer: APIClient, ticket: Ticket, accept: str) -> None:
        files.store(f"{ticket.id}-ticket.html", "<p>żółć")
        response = document(customer, printed(ticket), accept=accept)
        assert (response.status_code, response.content.decode()) == (200, "<p>żółć")
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert policy == ["sandbox", "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:"]

    @pytest.mark.usefixtures("simulator")
    def test_is_404_when_the_file_has_vanished(self, staff: APIClient, ticket: Ticket) -> None:
        assert document(staff, printed(ticket)).status_code == 404

    def test_opens_to_whoever_has_the_link(self, nobody: APIClient, ticket: Ticket) -> None:
        response = nobody.get(qr_code_url(ticket.id))
        assert (response.status_code, decoded(response.content.decode())) == (200, ticket.redemption_code)

    @pytest.mark.parametrize("key", ["", "x", "é", "x" * 5000])
    def test_opens_to_no_other_key(
        self, nobody: APIClient, somebody: APIClient, customer: APIClient, ticket: Ticket, key: str
    ) -> None:
        statuses = [
            client.get(f"{TICKETS}{ticket.id}/qr.svg", {"key": key}).status_code
            for client in (nobody, somebody, customer)
        ]
        assert statuses == [401, 404, 200]

    def test_opens_one_ticket_to_one_key(self, nobody: APIClient, ticket: Ticket) -> None:
        other = only_ticket(confirmed_booking(seats=1))
        key = qr_code_url(ticket.id).partition("?key=")[2]
        assert nobody.get(f"{TICKETS}{other.id}/qr.svg", {"key": key}).status_code == 401

    def test_refuses_in_problems_whatever_is_accepted(self, customer: APIClient, ticket: Ticket) -> None:
        response = document(customer, ticket, accept="text/html")
        assert (response.status_code, response.headers["Content-Type"]) == (404, "application/problem+json")

    def test_says_that_the_service_does_not_answer(
        self, customer: APIClient, ticket: Ticket, settings: Settings
    ) -> None:
        settings.GATEWAY_URL = "http://127.0.0.1:1"
        with capture_logs() as lines:
            response = document(customer, printed(ticket))
        assert (response.status_code, response.json()["code"]) == (503, "upstream_unavailable")
        assert response.headers["Retry-After"] == "5"
        assert b"127.0.0.1" not in response.content
        [line] = [line for line in lines if line["event"] == "outage"]
        assert (line["log_level"], "Connection refused" in line["error"]) == ("warning", True)

    @pytest.mark.parametrize(("upstream", "status"), [(500, 503), (429, 503), (403, 502)])
    def test_tells_trouble_that_passes_from_trouble_that_does_not(
        self, customer: APIClient, ticket: Ticket, fault: Callable[..., None], upstream: int, status: int
    ) -> None:
        fault("files.content", status=upstream)
        response = document(customer, printed(ticket))
        assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
        assert ("Retry-After" in response.headers) is (status == 503)


class TestTicketQrView:
    @pytest.mark.parametrize("accept", ["*/*", "image/svg+xml", "application/json"])
    def test_draws_the_redemption_code(self, customer: APIClient, ticket: Ticket, accept: str) -> None:
        response = customer.get(f"{TICKETS}{ticket.id}/qr.svg", headers={"accept": accept})
        assert (response.status_code, response.headers["Content-Type"]) == (200, "image/svg+xml")
        assert decoded(response.content.decode()) == ticket.redemption_code

    def test_refuses_in_problems_whatever_is_accepted(self, customer: APIClient) -> None:
        response = customer.get(f"{TICKETS}{uuid4()}/qr.svg", headers={"accept": "image/svg+xml"})
        assert (response.status_code, response.headers["Content-Type"]) == (404, "application/problem+json")
        assert re.search("not_found", response.content.decode())

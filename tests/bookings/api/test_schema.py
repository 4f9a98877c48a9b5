"""The OpenAPI document and its page."""

import re

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

FOREIGN = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""")
ROUTES = {
    "/api/v1/shows/": {"get", "post"},
    "/api/v1/shows/{show_id}/": {"get"},
    "/api/v1/bookings/": {"get", "post"},
    "/api/v1/bookings/{booking_id}/": {"get"},
    "/api/v1/bookings/{booking_id}/confirm/": {"post"},
    "/api/v1/bookings/{booking_id}/cancel/": {"get", "post"},
    "/api/v1/bookings/{booking_id}/complete/": {"post"},
    "/api/v1/bookings/{booking_id}/no-show/": {"post"},
    "/api/v1/resources/": {"get", "post"},
    "/api/v1/resources/{resource_id}/": {"get"},
    "/api/v1/resources/{resource_id}/availability/": {"get"},
    "/api/v1/tickets/": {"get"},
    "/api/v1/tickets/{ticket_id}/": {"get"},
    "/api/v1/tickets/{ticket_id}/document/": {"get"},
    "/api/v1/tickets/{ticket_id}/qr.svg": {"get"},
    "/api/v1/tickets/{ticket_id}/activate/": {"post"},
    "/api/v1/tickets/{ticket_id}/refund/": {"post"},
    "/api/v1/tickets/{ticket_id}/scans/": {"get"},
    "/api/v1/admin/tickets/{ticket_id}/activate/": {"post"},
    "/api/v1/admin/tickets/redeem/": {"post"},
    "/api/v1/admin/tickets/scans/{scan_id}/undo/": {"post"},
    "/api/v1/vendor/tickets-status/": {"post"},
    "/api/v1/ops/bookings/": {"get"},
    "/api/v1/ops/bookings/{booking_id}/": {"get"},
}


class TestSchema:
    def test_is_generated_without_warnings(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("spectacular", "--fail-on-warn", "--validate")
        assert capsys.readouterr().out.startswith("openapi: 3.1.0")

    def test_has_the_routes_of_bookings(self, customer: APIClient) -> None:
        response = customer.get("/api/v1/schema/", headers={"accept": "application/json"})
        assert response.status_code == 200
        paths = response.json()["paths"]
        assert {path: set(paths[path]) for path in ROUTES} == ROUTES

    def test_titles_every_operation(self, customer: APIClient) -> None:
        paths = customer.get("/api/v1/schema/", headers={"accept": "application/json"}).json()["paths"]
        titles = [operation["summary"] for path in paths.values() for operation in path.values()]
        assert all(titles)
        assert paths["/api/v1/shows/"]["post"]["summary"] == "Put a show up for booking"

    def test_names_the_filters_and_the_answers(self, customer: APIClient) -> None:
        paths = customer.get("/api/v1/schema/", headers={"accept": "application/json"}).json()["paths"]
        listing = paths["/api/v1/bookings/"]["get"]
        assert {parameter["name"] for parameter in listing["parameters"]} >= {"status", "from", "to", "search"}
        assert "201" in paths["/api/v1/bookings/"]["post"]["responses"]
        assert list(paths["/api/v1/tickets/{ticket_id}/document/"]["get"]["responses"]["200"]["content"]) == [
            "text/html"
        ]


class TestDocs:
    def test_loads_nothing_from_elsewhere(self, customer: APIClient) -> None:
        response = customer.get("/api/v1/docs/", headers={"accept": "text/html"})
        page = response.content.decode()
        assert response.status_code == 200
        assert "swagger-ui" in page
        assert not FOREIGN.search(page)

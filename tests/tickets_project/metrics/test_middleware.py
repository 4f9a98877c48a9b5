"""Requests, counted by the pattern of their address."""

import pytest
from django.test import Client

from tests.tickets_project.metrics.numbers import grown_by

LIVE = {"route": "/health/live", "status": "200"}


class TestCountingMiddleware:
    def test_counts_both_slash_forms_as_one_route(self) -> None:
        def ask() -> None:
            for path in ("/health/live", "/health/live/"):
                Client().get(path)

        assert grown_by(ask, "http_requests_total", method="GET", **LIVE) == 2

    def test_counts_refusals_by_their_status(self) -> None:
        labels = {"method": "POST", "route": "/health/live", "status": "405"}
        assert grown_by(lambda: Client().post("/health/live"), "http_requests_total", **labels) == 1

    @pytest.mark.django_db
    def test_counts_ids_as_one_route(self) -> None:
        labels = {"method": "GET", "route": "/api/v1/shows/<uuid:show_id>/", "status": "401"}

        def ask() -> None:
            for digit in "12":
                Client().get(f"/api/v1/shows/00000000-0000-4000-8000-00000000000{digit}/")

        assert grown_by(ask, "http_requests_total", **labels) == 2

    def test_counts_what_is_no_route_under_one_name(self) -> None:
        labels = {"method": "GET", "route": "none", "status": "404"}
        assert grown_by(lambda: Client().get("/wp-login.php"), "http_requests_total", **labels) == 1

    def test_counts_methods_that_are_made_up_under_one_name(self) -> None:
        labels = {"method": "other", "route": "/health/live", "status": "405"}
        assert grown_by(lambda: Client().generic("BREW", "/health/live"), "http_requests_total", **labels) == 1

"""`/metrics`, as Prometheus reads it."""

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.tickets_project.metrics.numbers import families, sample
from tickets_project.metrics.counters import count_delivered

pytestmark = pytest.mark.django_db


def get(**headers: str) -> Any:
    return Client().get("/metrics", headers=headers)


class TestMetrics:
    def test_shows_what_was_counted_and_what_the_database_says(self) -> None:
        count_delivered("Happened_v1", "things.listen", seconds=0.02)
        response = get()
        assert response.status_code == HTTPStatus.OK
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "no-store" in response.headers["Cache-Control"]
        page = response.content.decode()
        labels = {"topic": "Happened_v1", "handler": "things.listen"}
        assert sample(page, "messages_processed_total", **labels)
        assert sample(page, "messages_processing_duration_seconds_bucket", le="0.025", **labels)
        assert sample(page, "outbox_pending_deliveries", handler="printing.print_ticket") == 0
        assert sample(page, "database_up") == 1

    def test_speaks_open_metrics_when_asked_to(self) -> None:
        response = get(Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        assert response.content.endswith(b"# EOF\n")

    def test_answers_both_slash_forms(self) -> None:
        assert Client().get("/metrics/").status_code == HTTPStatus.OK

    def test_is_only_read(self) -> None:
        assert Client().post("/metrics").status_code == HTTPStatus.METHOD_NOT_ALLOWED

    def test_is_read_over_plain_http_where_all_else_is_redirected(self, settings: Settings) -> None:
        settings.SECURE_SSL_REDIRECT = True
        assert [Client().get(f"/{path}").status_code for path in ("metrics", "metrics/", "metricsx")] == [200, 200, 301]

    def test_describes_each_of_its_names(self) -> None:
        page = get().content.decode()
        assert all(family.documentation for family in families(page).values())


class TestMetricsWithAToken:
    @pytest.fixture(autouse=True)
    def _token(self, settings: Settings) -> None:
        settings.METRICS_TOKEN = "t0ken"

    @pytest.mark.parametrize(
        "headers", [{}, {"Authorization": "Bearer other"}, {"Authorization": "t0ken"}, {"Authorization": "ż"}]
    )
    def test_are_refused_without_it(self, headers: dict[str, str]) -> None:
        response = get(**headers)
        assert (response.status_code, response.content) == (HTTPStatus.UNAUTHORIZED, b"")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_are_shown_with_it(self) -> None:
        assert get(Authorization="Bearer t0ken").status_code == HTTPStatus.OK

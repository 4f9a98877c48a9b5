"""A worker's own page, over real HTTP."""

from collections.abc import Iterator

import pytest
import requests
from pytest_django import Settings

from tests.tickets_project.metrics.numbers import families, sample
from tickets_project.metrics.counters import count_delivered
from tickets_project.metrics.exposing import serve


@pytest.fixture
def url() -> Iterator[str]:
    with serve(0) as server:
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class TestServe:
    def test_shows_what_was_counted_and_asks_no_database(self, url: str, http: requests.Session) -> None:
        count_delivered("Happened_v1", "things.listen", seconds=0.02)
        answer = http.get(f"{url}/metrics", timeout=5)
        assert answer.status_code == 200
        assert sample(answer.text, "messages_processed_total", topic="Happened_v1", handler="things.listen")
        assert "database_up" not in families(answer.text)

    @pytest.mark.parametrize("path", ["/", "/metricsx", "/admin/"])
    def test_shows_nothing_elsewhere(self, url: str, http: requests.Session, path: str) -> None:
        assert http.get(f"{url}{path}", timeout=5).status_code == 404

    def test_wants_the_token(self, url: str, http: requests.Session, settings: Settings) -> None:
        settings.METRICS_TOKEN = "t0ken"
        refused = http.get(f"{url}/metrics", timeout=5)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        allowed = http.get(f"{url}/metrics", timeout=5, headers={"Authorization": "Bearer t0ken"})
        assert allowed.status_code == 200

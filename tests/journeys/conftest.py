"""A journey's surroundings: the site over real HTTP, the gateway simulator, and callers with tokens."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from knox.models import AuthToken
from pytest_django.live_server_helper import LiveServer

from tests.factories import StaffFactory, UserFactory
from tickets_project.gateway.simulator.server import Simulator


class Site:
    """A client of the API with one caller's token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def post(
        self, path: str, expected: int = 201, headers: dict[str, str] | None = None, **body: Any
    ) -> dict[str, Any]:
        """Send a JSON body and return the answer's."""
        answer = self._session.post(self._url + path, json=body, headers=headers, timeout=10)
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the answer's body."""
        answer = self._session.get(self._url + path, params=query, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


@pytest.fixture
def staff(live_server: LiveServer, simulator: Simulator) -> Iterator[Site]:
    """Return the site for a member of staff."""
    del simulator
    site = Site(live_server.url, AuthToken.objects.create(user=StaffFactory.create())[1])
    yield site
    site.close()


@pytest.fixture
def customer(live_server: LiveServer, simulator: Simulator) -> Iterator[Site]:
    """Return the site for a customer."""
    del simulator
    site = Site(live_server.url, AuthToken.objects.create(user=UserFactory.create())[1])
    yield site
    site.close()


def put_up_show(staff: Site, **facts: Any) -> str:
    """Put a show up that starts in a month; return its id."""
    start = datetime.now(UTC) + timedelta(days=30)
    show = staff.post(
        "/shows/",
        title="Carmen",
        venue="Teatro Real, Madrid",
        start_time=start.isoformat(),
        number_of_tickets=100,
        price={"amount": "50.30", "currency": "EUR"},
        **facts,
    )
    return str(show["show_id"])


@pytest.fixture
def show_id(staff: Site) -> str:
    """Put a show up."""
    return put_up_show(staff)

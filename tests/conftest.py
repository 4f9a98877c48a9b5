"""What all tests share: the simulator as the gateway, counters and tables of their own, people and their clients."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

from tests.as_migrated import MigratedRows
from tests.factories import StaffFactory, UserFactory
from tests.tickets_project.api.clients import with_token
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox import subscriptions
from tickets_project.outbox.subscriptions import Subscriptions

# It asserts for others, who want to read what differs.
pytest.register_assert_rewrite("tests.journeys.bundles")
from tests.journeys.bundles import Gateway  # noqa: E402


def pytest_configure() -> None:
    """Take Ctrl-C as people's shells do: what runs in the background ignores it, and so do processes that it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _own_metrics(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Count elsewhere than the installation, here and in the processes that tests start."""
    django_settings.METRICS_DIR = tmp_path_factory.mktemp("metrics")
    os.environ["METRICS_DIR"] = str(django_settings.METRICS_DIR)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:  # noqa: ARG001
    """Leave the database as migrations left it after each test that commits."""
    with django_db_blocker.unblock():
        migrated = MigratedRows()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: migrated.restore())
        yield


@pytest.fixture(autouse=True)
def _own_counters(settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(uuid4())}
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def simulator(tmp_path: Path, settings: Settings) -> Iterator[Simulator]:
    """Be the gateway for one test."""
    with Simulator(files=tmp_path / "files") as simulator:
        settings.GATEWAY_URL = simulator.url
        yield simulator


@pytest.fixture
def impatient(settings: Settings) -> None:
    """Give up a service that does not answer soon, but none that answers as a busy machine does."""
    settings.GATEWAY_TIMEOUTS = (5, 2)


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """Speak to the simulator as a client that is not ours."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def gateway(simulator: Simulator, http: requests.Session) -> Gateway:
    """Return what the simulated services have of bundles."""
    return Gateway(simulator, http)


@pytest.fixture
def fault(simulator: Simulator, http: requests.Session) -> Callable[..., None]:
    """Make the simulator misbehave."""

    def add(operation: str, count: int = 1, **fields: object) -> None:
        body = {"operation": operation, "count": count, **fields}
        assert http.post(f"{simulator.url}/_simulator/faults", json=body).status_code == 201

    return add


@pytest.fixture
def calls(simulator: Simulator, http: requests.Session) -> Callable[..., list[dict[str, Any]]]:
    """Return the calls that the simulator has received."""

    def received(operation: str) -> list[dict[str, Any]]:
        answer = http.get(f"{simulator.url}/_simulator/calls", params={"operation": operation}).json()
        return list(answer["calls"])

    return received


@pytest.fixture
def table(settings: Settings) -> Iterator[Callable[[Subscriptions], None]]:
    """Put another subscription table in the project's place."""
    here = f"{__name__}.TABLE"

    def use(other: Subscriptions) -> None:
        globals()["TABLE"] = other
        settings.OUTBOX_SUBSCRIPTIONS = here
        subscriptions._load.cache_clear()

    yield use
    subscriptions._load.cache_clear()


@pytest.fixture
def ada(db: None) -> User:  # noqa: ARG001 - opens the database
    user: User = UserFactory.create(username="ada", email="ada@customers.example")
    return user


@pytest.fixture
def ann(db: None) -> User:  # noqa: ARG001 - opens the database
    user: User = StaffFactory.create(username="ann")
    return user


@pytest.fixture
def customer(ada: User) -> APIClient:
    """Return a client with a token of ada's."""
    return with_token(ada)


@pytest.fixture
def staff(ann: User) -> APIClient:
    """Return a client with a token of ann's."""
    return with_token(ann)


@pytest.fixture
def somebody(db: None) -> APIClient:  # noqa: ARG001 - opens the database
    """Return a client with a token of another customer's."""
    return with_token(UserFactory.create())


@pytest.fixture
def nobody() -> APIClient:
    """Return a client without a token."""
    return APIClient(raise_request_exception=False)

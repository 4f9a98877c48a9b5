"""An installation of several hosts: what they share runs on one of them, where the tests are too."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.crash.hosts.forms import IN_FULL, in_full_only
from tests.crash.hosts.installation import Installation
from tests.crash.hosts.network import Network, what_hosts_lack
from tests.crash.hosts.services import SharedPostgres, SharedRedis, shared_postgres
from tests.crash.trial.effects import make_table
from tickets_project.gateway.simulator.server import Simulator


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the long form tries."""
    left_out = [] if IN_FULL else [item for item in items if item.get_closest_marker(in_full_only.name)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="package")
def network() -> Iterator[Network]:
    if lack := what_hosts_lack():
        pytest.skip(f"The tests of several hosts cannot be run: {lack}.")
    with Network() as network:
        yield network


@pytest.fixture(scope="package")
def shared_server(network: Network) -> Iterator[SharedPostgres]:
    with shared_postgres(network.services) as server:
        yield server


@pytest.fixture
def shared_redis(network: Network) -> Iterator[SharedRedis]:
    if not shutil.which("redis-server"):
        pytest.skip("The tests with Redis need redis-server (Debian: redis-server).")
    server = SharedRedis(network.services)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["orm", "redis"])
def broker(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return what tells a worker which broker it has."""
    if request.param == "orm":
        return {"REDIS_URL": ""}
    redis: SharedRedis = request.getfixturevalue("shared_redis")
    return {"REDIS_URL": redis.url}


@pytest.fixture
def simulator(network: Network, tmp_path: Path, settings: Settings) -> Iterator[Simulator]:
    """Be the gateway of all hosts."""
    with network.services.joined(), Simulator(host=network.services.address, files=tmp_path / "files") as simulator:
        settings.GATEWAY_URL = simulator.url
        yield simulator


@pytest.fixture
def database_url(shared_server: SharedPostgres, transactional_db: None) -> Iterator[str]:
    """Have a fresh database there be that of the test; return how the hosts reach it."""
    del transactional_db
    with shared_server.in_place() as url:
        make_table()
        yield url


@pytest.fixture
def environment(database_url: str, broker: dict[str, str], simulator: Simulator) -> dict[str, str]:
    """Return what every host is told."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.crash.hosts.settings",
        "DATABASE_URL": database_url,
        "GATEWAY_URL": simulator.url,
        "EMAIL_URL": "dummymail://",
        "METRICS_DIR": "",
        **broker,
    }


@pytest.fixture
def installation(
    network: Network, environment: dict[str, str], settings: Settings, tmp_path: Path
) -> Iterator[Installation]:
    settings.OUTBOX_SUBSCRIPTIONS = "tests.crash.hosts.stalling.SUBSCRIPTIONS"
    with Installation(network, logs=tmp_path, environment=environment) as installation:
        yield installation

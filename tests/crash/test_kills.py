"""SIGKILL of each process of a worker with work in hand: how soon the work goes on, and that nothing is amiss."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
import requests

from tests.crash import first_process
from tests.crash.killing import MortalWorker, mortal_worker
from tests.crash.trial.books import Books
from tests.crash.trial.hands import take_in_hand
from tests.crash.trial.messages import NotedV1, PaidV1
from tests.crash.trial.publishing import all_delivered
from tests.crash.victims import Cluster
from tests.journeys.bundles import Gateway
from tests.processes import eventually, session_of
from tickets_project.gateway.simulator.server import Simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

GOES_ON_WITHIN = 15
STOPS_WITHIN = 10

PATIENCE = 60
"""Seconds for what has no limit: a machine may have much else to do."""

Victims = Callable[[Cluster], set[int]]

SURVIVED: dict[str, Victims] = {
    "an idle worker": lambda cluster: {min(cluster.idle())},
    "all idle workers": Cluster.idle,
    "the pusher": lambda cluster: {cluster.pusher},
    "the monitor": lambda cluster: {cluster.monitor},
    "a busy worker": lambda cluster: {min(cluster.busy())},
    "all busy workers": Cluster.dispatchers,
    "all workers": lambda cluster: set(cluster.workers),
}
"""What the cluster makes good by itself."""

FATAL: dict[str, Victims] = {
    "the sentinel": lambda cluster: {cluster.sentinel},
    "the main process": lambda cluster: {cluster.main},
    "all of it": Cluster.pids,
}
"""What ends the cluster, so that its supervisor starts another."""

HUNG: dict[str, Victims] = {"all dispatchers": Cluster.dispatchers}
"""What is missing in a cluster that starts no dispatchers any more."""

if "KILLS" in os.environ:
    # It works on with what it has, and for half a minute it may get more.
    HUNG["a dispatcher"] = lambda cluster: {min(cluster.dispatchers())}


@pytest.fixture
def gateway(simulator: Simulator, http: requests.Session) -> Gateway:
    return Gateway(simulator, http)


@pytest.fixture
def through(request: pytest.FixtureRequest) -> Sequence[str]:
    """Return the program that runs the worker; none, unless a test says so."""
    return getattr(request, "param", ())


@pytest.fixture
def worker(trial: str, gateway: Gateway, tmp_path: Path, through: Sequence[str]) -> Iterator[MortalWorker]:
    """Run a worker with two dispatchers, three idle workers, and leases as in production."""
    del gateway
    environment = {
        "DJANGO_SETTINGS_MODULE": trial,
        "OUTBOX_DISPATCHERS": "2",
        "OUTBOX_LEASE_SECONDS": "10",
        "TRIAL_IDLE_WORKERS": "2",
    }
    with (
        (tmp_path / "worker.log").open("w") as log,
        mortal_worker(log, through=through, **environment) as worker,
    ):
        yield worker


def kill(victims: Victims, cluster: Cluster) -> float:
    """Kill them; return when."""
    for pid in victims(cluster):
        os.kill(pid, signal.SIGKILL)
    return monotonic()


def assert_goes_on(books: Books, after: str, *, since: float, within: float = GOES_ON_WITHIN) -> None:
    """Publish more, and see it done in time; what was in hand is done in the end."""
    books.publish(noted=1, paid=1)
    eventually(partial(books.have_last, NotedV1, PaidV1), seconds=PATIENCE)
    assert monotonic() - since < within, after
    eventually(all_delivered, seconds=PATIENCE)


def assert_gone(cluster: Cluster) -> None:
    eventually(lambda: not session_of(cluster.main), seconds=PATIENCE)


def assert_stops(worker: MortalWorker) -> None:
    assert worker.stop() < STOPS_WITHIN
    assert worker.left() == []


class TestKill:
    def test_is_survived_by_the_cluster(self, worker: MortalWorker, gateway: Gateway) -> None:
        books, main = Books(), worker.full_cluster().main
        for name, victims in SURVIVED.items():
            cluster = worker.full_cluster()
            take_in_hand(books, gateway)
            killed_at = kill(victims, cluster)
            assert_goes_on(books, name, since=killed_at)
        assert worker.full_cluster().main == main
        take_in_hand(books, gateway)
        assert_stops(worker)
        books.assert_balance()

    def test_is_survived_by_the_worker(self, worker: MortalWorker, gateway: Gateway) -> None:
        books = Books()
        for name, victims in FATAL.items():
            cluster = worker.full_cluster()
            take_in_hand(books, gateway)
            killed_at = kill(victims, cluster)
            assert_gone(cluster)
            assert_goes_on(books, name, since=killed_at)
        worker.full_cluster()
        take_in_hand(books, gateway)
        assert_stops(worker)
        books.assert_balance()

    def test_of_the_supervisor_is_made_good_by_the_next(self, worker: MortalWorker, gateway: Gateway) -> None:
        books, cluster = Books(), worker.full_cluster()
        take_in_hand(books, gateway)
        killed_at = monotonic()
        worker.kill_supervisor()
        assert_gone(cluster)
        assert_goes_on(books, "the supervisor", since=killed_at)
        assert_stops(worker)
        books.assert_balance()


@pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux")
@pytest.mark.parametrize("through", [(sys.executable, first_process.__file__)], indirect=True, ids=["first process"])
class TestContainer:
    def test_buries_the_dead_that_are_left_to_it(self, worker: MortalWorker, gateway: Gateway) -> None:
        books, cluster = Books(), worker.full_cluster()
        take_in_hand(books, gateway)
        killed_at = kill(FATAL["the main process"], cluster)
        assert_gone(cluster)
        assert_goes_on(books, "the main process", since=killed_at)
        books.assert_balance()


class TestWedge:
    """Of a cluster that lives and does nothing: some of its processes do not die, but hang."""

    @pytest.mark.parametrize("victims", HUNG.values(), ids=HUNG)
    def test_is_made_good(self, worker: MortalWorker, gateway: Gateway, victims: Victims) -> None:
        books, cluster = Books(), worker.full_cluster()
        take_in_hand(books, gateway)
        os.kill(cluster.pusher, signal.SIGSTOP)
        killed_at = kill(victims, cluster)
        assert_goes_on(books, "a wedge", since=killed_at, within=2 * GOES_ON_WITHIN)
        assert_gone(cluster)
        worker.full_cluster()
        books.assert_balance()

    def test_does_not_outlive_its_supervisor(self, worker: MortalWorker) -> None:
        cluster = worker.full_cluster()
        os.kill(cluster.sentinel, signal.SIGSTOP)
        worker.supervisor.kill()
        assert_gone(cluster)

    def test_may_be_stopped(self, worker: MortalWorker) -> None:
        os.kill(worker.full_cluster().sentinel, signal.SIGSTOP)
        assert_stops(worker)

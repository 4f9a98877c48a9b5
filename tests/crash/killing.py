"""A worker that is killed, in one way or another, and goes on."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from time import monotonic
from typing import IO

from tests.crash.victims import Cluster
from tests.processes import cluster_processes, eventually, session_of, worker
from tickets_project.outbox.models import Delivery, Dispatcher, Status

# More dispatchers than are killed at once, so that one is there to go on; short leases, for nobody else ends those of a
# host that is gone.
_ENVIRONMENT = {"OUTBOX_DISPATCHERS": "4", "OUTBOX_THREADS": "4", "OUTBOX_LEASE_SECONDS": "3"}


class Kill(StrEnum):
    """What is killed: who has the delivery in hand, the whole cluster, or its supervisor with it."""

    DISPATCHER = "dispatcher"
    CLUSTER = "cluster"
    ALL = "all"


class MortalWorker:
    """The worker, to be killed again and again."""

    def __init__(self, stack: ExitStack, output: IO[str], through: Sequence[str], environment: dict[str, str]) -> None:
        self._stack, self._output, self._through, self._environment = stack, output, through, environment
        self._seen: set[Cluster] = set()
        self.supervisor = self._started()

    def kill(self, what: Kill, *, handler: str) -> None:
        """Kill it while it runs this handler; it goes on by itself unless its supervisor is killed too."""
        if what is Kill.DISPATCHER:
            for pid in _running(handler):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        cluster = cluster_processes(self.supervisor)[0].pid
        if what is Kill.ALL:
            self.supervisor.kill()
            self.supervisor.wait()
        os.killpg(cluster, signal.SIGKILL)
        if what is Kill.ALL:
            self.supervisor = self._started()

    def kill_supervisor(self) -> None:
        """Kill the supervisor, and start another one, as an init system does."""
        self.supervisor.kill()
        self.supervisor.wait()
        self.supervisor = self._started()

    def cluster(self) -> Cluster | None:
        """Return its cluster if no process of it is missing."""
        cluster = Cluster.of(self.supervisor)
        if cluster:
            self._seen.add(cluster)
        return cluster

    def full_cluster(self) -> Cluster:
        """Return its cluster as soon as it has all processes, and all dispatchers are at work in them."""
        eventually(self._is_full, seconds=60)
        cluster = self.cluster()
        return cluster or self.full_cluster()

    def stop(self) -> float:
        """Ask it to stop; return how many seconds it took."""
        asked_at = monotonic()
        self.supervisor.send_signal(signal.SIGTERM)
        assert self.supervisor.wait(60) == 0
        return monotonic() - asked_at

    def left(self) -> list[int]:
        """Return what lives of all clusters that were seen."""
        return [pid for main in {cluster.main for cluster in self._seen} for pid in session_of(main)]

    def _is_full(self) -> bool:
        cluster = self.cluster()
        return cluster is not None and len(cluster.dispatchers()) == int(self._environment["OUTBOX_DISPATCHERS"])

    def _started(self) -> "subprocess.Popen[str]":
        return self._stack.enter_context(worker(output=self._output, through=self._through, **self._environment))


@contextmanager
def mortal_worker(output: IO[str], *, through: Sequence[str] = (), **environment: str) -> Iterator[MortalWorker]:
    """Run the worker."""
    with ExitStack() as stack:
        yield MortalWorker(stack, output, through, _ENVIRONMENT | environment)


def _running(handler: str) -> list[int]:
    """Return the dispatchers that have a delivery of this handler in hand."""
    claimed = Delivery.objects.filter(handler=handler, status=Status.PENDING, claimed_by__isnull=False)
    pids = list(Dispatcher.objects.filter(id__in=claimed.values("claimed_by")).values_list("pid", flat=True))
    assert pids, f"nobody runs {handler}"
    return pids

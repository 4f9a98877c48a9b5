"""A worker that is killed, in one way or another, and goes on."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import IO

from tests.processes import cluster_processes, worker
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

    def __init__(self, stack: ExitStack, output: IO[str]) -> None:
        self._stack, self._output = stack, output
        self._supervisor = self._started()

    def kill(self, what: Kill, *, handler: str) -> None:
        """Kill it while it runs this handler; it goes on by itself unless its supervisor is killed too."""
        if what is Kill.DISPATCHER:
            for pid in _running(handler):
                os.kill(pid, signal.SIGKILL)
            return
        cluster = cluster_processes(self._supervisor)[0].pid
        if what is Kill.ALL:
            self._supervisor.kill()
            self._supervisor.wait()
        os.killpg(cluster, signal.SIGKILL)
        if what is Kill.ALL:
            self._supervisor = self._started()

    def _started(self) -> "subprocess.Popen[str]":
        return self._stack.enter_context(worker(output=self._output, **_ENVIRONMENT))


@contextmanager
def mortal_worker(output: IO[str]) -> Iterator[MortalWorker]:
    """Run the worker."""
    with ExitStack() as stack:
        yield MortalWorker(stack, output)


def _running(handler: str) -> list[int]:
    """Return the dispatchers that have a delivery of this handler in hand."""
    claimed = Delivery.objects.filter(handler=handler, status=Status.PENDING, claimed_by__isnull=False)
    pids = list(Dispatcher.objects.filter(id__in=claimed.values("claimed_by")).values_list("pid", flat=True))
    assert pids, f"nobody runs {handler}"
    return pids

"""Starting and supervising a django-q2 cluster: what `manage.py run_worker` does.

The cluster gets a session of its own. Signals go to its main process alone, because django-q2 hangs when all its
processes are signalled at once; what is left after the grace time is killed.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from secrets import token_hex
from threading import Event
from time import monotonic
from types import FrameType
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

from tickets_project.outbox.claiming import DATABASE_AWAY
from tickets_project.outbox.worker.dispatching import dispatch
from tickets_project.outbox.worker.presence import CLUSTER, release_dead_dispatchers
from tickets_project.outbox.worker.waking import LIFELINE

WATCH_SECONDS = 1.0
# A cluster that dies at once is not started again at once.
RESTART_SECONDS = 3.0
TOP_UP_SECONDS = 3.0
# How long a cluster may be without dispatchers, at first and later, and how long some may be missing while none comes.
STARTING_SECONDS = 20.0
SILENT_SECONDS = 8.0
SHORT_SECONDS = 30.0
# How long a cluster may take to stop when its last dispatcher has gone.
FAREWELL_SECONDS = 4.0

log = structlog.get_logger(__name__)


class Supervisor:
    """Keeps one cluster running, with its dispatchers at work, until SIGTERM or SIGINT."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._stop = Event()
        # Host and pid alone come again: in containers, and after a restart.
        self._name = f"{socket.gethostname()[:60]}:{os.getpid()}:{token_hex(3)}"
        self._topped_up_at = 0.0
        self._present: set[UUID] = set()
        # When the cluster is taken for wedged, unless a dispatcher is seen before, and unless all or a new one are.
        self._any_by = self._all_by = 0.0

    @cached_property
    def _queue(self) -> Broker:
        # Not before it is needed: the queue in the database connects when it is made.
        return get_broker(self._name)

    def run(self) -> None:
        """Supervise; returns when the cluster has ended and no process of it is left."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self._stop.is_set():
            # Queued before the cluster starts, and there when it does.
            self._look(self._top_up)
            started_at = monotonic()
            lifeline, keep = os.pipe()
            cluster = self._start(lifeline)
            os.close(lifeline)
            grace = self._watch(cluster)
            # Nobody reads the pipe any more when the whole cluster is gone.
            with suppress(BrokenPipeError):
                os.write(keep, b"stop")
            self._end(cluster, grace)
            os.close(keep)
            self._look(self._clean_up)
            self._stop.wait(started_at + RESTART_SECONDS - monotonic())
        self._say("The worker has stopped.")

    def _clean_up(self) -> None:
        release_dead_dispatchers(self._name)
        self._queue.delete_queue()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _start(self, lifeline: int) -> "subprocess.Popen[bytes]":
        cluster = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "run_cluster"],
            env=os.environ | {LIFELINE: str(lifeline), CLUSTER: self._name},
            pass_fds=[lifeline],
            start_new_session=True,
        )
        self._expect_dispatchers(within=STARTING_SECONDS)
        self._say(f"The worker runs as {self._name}, with {settings.OUTBOX_DISPATCHERS} dispatchers.")
        return cluster

    def _watch(self, cluster: "subprocess.Popen[bytes]") -> float:
        """Wait until the cluster is to end; return how many seconds it has for the work in hand."""
        while not self._stop.wait(WATCH_SECONDS):
            if cluster.poll() is not None:
                log.error("cluster died", exit_code=cluster.returncode)
                break
            self._look(self._top_up)
            if monotonic() > self._any_by:
                log.error("cluster wedged", dispatchers="none")
                return 0
            if monotonic() > self._all_by:
                log.error("cluster wedged", dispatchers="not all")
                break
        return settings.OUTBOX_GRACE_SECONDS

    def _expect_dispatchers(self, *, within: float) -> None:
        self._any_by = monotonic() + within
        self._all_by = monotonic() + SHORT_SECONDS

    def _look(self, look: Callable[[], object]) -> None:
        try:
            look()
        except DATABASE_AWAY as error:
            log.warning("database away", error=str(error))
            # Without the database no dispatcher can show itself.
            self._expect_dispatchers(within=STARTING_SECONDS)
            connection.close()

    def _count(self) -> set[UUID]:
        """Look who is at work; return who came since the last look."""
        before = self._present
        self._present = release_dead_dispatchers(self._name)
        return self._present - before

    def _top_up(self) -> None:
        newcomers = self._count()
        missing = settings.OUTBOX_DISPATCHERS - len(self._present)
        if self._present:
            self._any_by = monotonic() + SILENT_SECONDS
        if missing <= 0 or newcomers:
            self._all_by = monotonic() + SHORT_SECONDS
        if missing > 0 and monotonic() - self._topped_up_at > TOP_UP_SECONDS:
            self._topped_up_at = monotonic()
            for _ in range(missing):
                async_task(dispatch, broker=self._queue)

    def _end(self, cluster: "subprocess.Popen[bytes]", grace: float) -> None:
        """Stop the main process, then kill what is left of its session."""
        cluster.send_signal(signal.SIGTERM)
        over = monotonic() + grace
        while cluster.poll() is None and monotonic() < over:
            self._look(self._count)
            if not self._present:
                over = min(over, monotonic() + FAREWELL_SECONDS)
            with suppress(subprocess.TimeoutExpired):
                cluster.wait(WATCH_SECONDS / 5)
        with suppress(ProcessLookupError):
            os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait()
        _bury(cluster.pid)


def _bury(session: int) -> None:
    """Wait for killed processes that were left to this one, as they are in containers; else they count as living."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-session, 0)

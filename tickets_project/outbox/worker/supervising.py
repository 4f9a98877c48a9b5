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
from secrets import token_hex
from threading import Event
from time import monotonic
from types import FrameType

import structlog
from django.conf import settings
from django.db import connection
from django_q.brokers import get_broker
from django_q.tasks import async_task

from tickets_project.outbox.claiming import DATABASE_AWAY
from tickets_project.outbox.worker.dispatching import dispatch
from tickets_project.outbox.worker.presence import CLUSTER, at_work, release_dead_dispatchers
from tickets_project.outbox.worker.waking import LIFELINE

WATCH_SECONDS = 1.0
TOP_UP_SECONDS = 3.0
WEDGED_SECONDS = 20.0

log = structlog.get_logger(__name__)


class Supervisor:
    """Keeps one cluster running, with its dispatchers at work, until SIGTERM or SIGINT."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._stop = Event()
        # Host and pid alone come again: in containers, and after a restart.
        self._name = f"{socket.gethostname()[:60]}:{os.getpid()}:{token_hex(3)}"
        self._queue = get_broker(self._name)
        self._seen_at = self._topped_up_at = 0.0

    def run(self) -> None:
        """Supervise; returns when the cluster has ended and no process of it is left."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self._stop.is_set():
            # Queued before the cluster starts: its dispatchers are who see that a supervisor was killed, however early.
            self._look(self._top_up)
            lifeline, keep = os.pipe()
            cluster = self._start(lifeline)
            os.close(lifeline)
            self._watch(cluster)
            # Nobody reads the pipe any more when the whole cluster is gone.
            with suppress(BrokenPipeError):
                os.write(keep, b"stop")
            _end(cluster)
            os.close(keep)
            self._look(self._clean_up)
            # A cluster that dies at once is not started again at once.
            self._stop.wait(WATCH_SECONDS)
        self._say("The worker has stopped.")

    def _clean_up(self) -> None:
        release_dead_dispatchers(self._name)
        self._queue.delete_queue()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _start(self, lifeline: int) -> "subprocess.Popen[bytes]":
        cluster = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            env=os.environ | {LIFELINE: str(lifeline), CLUSTER: self._name},
            pass_fds=[lifeline],
            start_new_session=True,
        )
        self._seen_at = monotonic()
        self._say(f"The worker runs as {self._name}, with {settings.OUTBOX_DISPATCHERS} dispatchers.")
        return cluster

    def _watch(self, cluster: "subprocess.Popen[bytes]") -> None:
        """Return when the cluster is to end: asked to, dead, or wedged."""
        while not self._stop.wait(WATCH_SECONDS):
            if cluster.poll() is not None:
                log.error("cluster died", exit_code=cluster.returncode)
                return
            self._look(self._top_up)
            if monotonic() - self._seen_at > WEDGED_SECONDS:
                log.error("cluster wedged", seconds=WEDGED_SECONDS)
                return

    def _look(self, look: Callable[[], None]) -> None:
        try:
            look()
        except DATABASE_AWAY as error:
            log.warning("database away", error=str(error))
            # Without the database no dispatcher can show itself.
            self._seen_at = monotonic()
            connection.close()

    def _top_up(self) -> None:
        release_dead_dispatchers(self._name)
        present = at_work().filter(cluster=self._name).count()
        if present:
            self._seen_at = monotonic()
        if present < settings.OUTBOX_DISPATCHERS and monotonic() - self._topped_up_at > TOP_UP_SECONDS:
            self._topped_up_at = monotonic()
            for _ in range(settings.OUTBOX_DISPATCHERS - present):
                async_task(dispatch, broker=self._queue)


def _end(cluster: "subprocess.Popen[bytes]") -> None:
    """Stop the main process, then kill what is left of its session."""
    cluster.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        cluster.wait(settings.OUTBOX_GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(cluster.pid, signal.SIGKILL)
    cluster.wait()

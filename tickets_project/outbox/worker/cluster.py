"""The django-q2 cluster as the supervisor starts it: no reader's death stops it, and it ends with its supervisor."""

import os
import select
import signal
from contextlib import suppress
from queue import Empty
from threading import Thread
from time import sleep
from typing import Any

from django.conf import settings
from django_q import cluster
from django_q.queues import Queue
from django_q.signals import post_spawn

from tickets_project.outbox.worker.waking import LIFELINE

_SHORT_WHILE = 0.01


class SturdyQueue(Queue):  # type: ignore[misc] # django-q2 has no types
    """The queue between the processes of a cluster, whose lock is held while something is read, not while waiting.

    django-q2's idle workers and its monitor wait inside the lock, and whoever kills one of them stops the others.
    """

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - as multiprocessing has it
        """Return the next object."""
        while block and timeout is None:
            self._poll(None)
            with suppress(Empty):
                return super().get(block=False)
            # Another process is reading.
            sleep(_SHORT_WHILE)
        return super().get(block, timeout)


def prepare_cluster() -> None:
    """Change the cluster that this process is about to start."""
    # The name from which django-q2 makes its queues; there is no setting for it.
    cluster.Queue = SturdyQueue
    if LIFELINE in os.environ:
        post_spawn.connect(_watch_supervisor)


def _watch_supervisor(**_signal: object) -> None:
    Thread(target=_end_with_supervisor, name="guardian", daemon=True).start()


def _end_with_supervisor() -> None:
    """Wait until nobody is left to stop the cluster, and do it then."""
    poll = select.poll()
    # What is written asks dispatchers to stop; only the end of the pipe is waited for.
    poll.register(int(os.environ[LIFELINE]), 0)
    poll.poll()
    main = os.getsid(0)
    with suppress(ProcessLookupError):
        os.kill(main, signal.SIGTERM)
    # A main process that is just starting may lock itself up over the signal.
    sleep(settings.OUTBOX_GRACE_SECONDS)
    os.killpg(main, signal.SIGKILL)

"""The threads in which a dispatcher runs its external handlers, so that waiting on HTTP costs no process."""

from collections import Counter
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread

import structlog
from django.db import connection

from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.context import names_of

log = structlog.get_logger(__name__)


class Crew:
    """A fixed number of threads that work through claims; each has a database connection of its own.

    `done` is called after each claim, in its thread, with the number of claims that its handler still has here.
    """

    def __init__(self, size: int, work: Callable[[Claim], None], done: Callable[[int], None]) -> None:
        self._work, self._done = work, done
        self._queue: SimpleQueue[Claim | None] = SimpleQueue()
        self._lock = Lock()
        self._busy: Counter[str] = Counter()
        self._threads = [Thread(target=self._run, name=f"crew-{number}") for number in range(size)]
        for thread in self._threads:
            thread.start()

    def give(self, claim: Claim) -> None:
        """Hand a claim to the next free thread."""
        with self._lock:
            self._busy[claim.handler] += 1
        self._queue.put(claim)

    def busy(self) -> Counter[str]:
        """Return how many claims of each handler are queued or running."""
        with self._lock:
            return +self._busy

    def dismiss(self) -> list[Claim]:
        """Let the threads end after the work in hand; return the claims that nobody began."""
        unrun = self._take_back()
        for _ in self._threads:
            self._queue.put(None)
        return unrun

    def is_at_work(self) -> bool:
        """Tell whether a thread has not ended yet."""
        return any(thread.is_alive() for thread in self._threads)

    def _take_back(self) -> list[Claim]:
        claims: list[Claim] = []
        while True:
            try:
                claim = self._queue.get_nowait()
            except Empty:
                return claims
            if claim:
                claims.append(claim)

    def _run(self) -> None:
        for claim in iter(self._queue.get, None):
            try:
                self._work(claim)
            except Exception:
                # The claim's lease ends; the thread is still needed.
                log.exception("thread failed", delivery=claim.delivery_id, **names_of(claim))
            finally:
                with self._lock:
                    self._busy[claim.handler] -= 1
                    left = self._busy[claim.handler]
                self._done(left)
        connection.close()

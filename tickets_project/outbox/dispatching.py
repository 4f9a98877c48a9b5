"""The dispatch task: django-q2 runs it, and it stays to claim and deliver until its time is over.

Nothing but the rows in outbox_delivery says what is to be done; the task may start, end or die at any moment.
"""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import groupby
from threading import Lock
from time import monotonic
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.crew import Crew
from tickets_project.outbox.delivering import deliver, deliver_together
from tickets_project.outbox.presence import Presence, at_work, cluster_name
from tickets_project.outbox.subscriptions import subscriptions
from tickets_project.outbox.waking import Bell, Lifeline, Supervision

POLL_SECONDS = 1.0
BATCH = 20

log = structlog.get_logger(__name__)


def dispatch() -> None:
    """Deliver what falls due for a few minutes, unless this cluster has dispatchers enough."""
    if at_work().filter(cluster=cluster_name()).count() >= settings.OUTBOX_DISPATCHERS:
        return
    # They do not all end at the same moment.
    Dispatching(seconds=settings.OUTBOX_DISPATCH_SECONDS * random.uniform(0.8, 1)).run()  # noqa: S311 - no secret


class Dispatching:
    """One stay of a dispatcher: transactional handlers in its own thread, external ones in its crew's."""

    def __init__(self, *, seconds: float) -> None:
        self.id = uuid4()
        self._ends_at = monotonic() + seconds
        self._parent = os.getppid()
        self._lifeline = Lifeline()
        self._bell = Bell()
        self._lease = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
        self._lock = Lock()
        self._next_due = float("inf")

    def run(self) -> None:
        """Deliver until the time is over or the supervisor wants to stop; then finish the work in hand."""
        with ExitStack() as stack:
            stack.enter_context(Presence(self.id, cluster=cluster_name(), lease=self._lease))
            stack.enter_context(self._bell)
            crew = Crew(settings.OUTBOX_THREADS, self._deliver, self._ring_when_few)
            stack.callback(lambda: claiming.release(dispatcher=self.id, unrun=crew.stop()))
            while not self._is_over():
                if not self._turn(crew):
                    self._rest()
        if self._lifeline.state() is Supervision.GONE:
            # Nobody is left to stop the cluster: its main process leads the session.
            os.kill(os.getsid(0), signal.SIGTERM)

    def _turn(self, crew: Crew) -> bool:
        """Claim what is due and work on it; False when nothing was due, or the database is away."""
        try:
            return self._start_external(crew) + self._run_transactional() > 0
        except (DatabaseError, InterfaceError) as error:
            log.warning("database away", error=str(error))
            connection.close()
            return False

    def _start_external(self, crew: Crew) -> int:
        busy = crew.busy()
        free = settings.OUTBOX_THREADS - busy.total()
        # A handler may have three times what it leaves free, and the last thread is for one that has none: so one that
        # hangs gets about three quarters of the threads, and never the next one's.
        handlers = [key for key in subscriptions().keys(external=True) if free and busy[key] < max(1, 3 * (free - 1))]
        claims = self._claim(handlers, (free + 1) // 2) if handlers else []
        for claim in claims:
            crew.give(claim)
        return len(claims)

    def _run_transactional(self) -> int:
        claims = self._claim(subscriptions().keys(external=False), BATCH)
        left = [claim for group in _by_handler(claims) for claim in _left_of(group)]
        for position, claim in enumerate(left):
            if self._is_over():
                claiming.release(dispatcher=self.id, unrun=left[position:])
                break
            self._deliver(claim)
        return len(claims)

    def _claim(self, handlers: list[str], limit: int) -> list[Claim]:
        return claiming.claim(dispatcher=self.id, handlers=handlers, limit=limit, lease=self._lease)

    def _ring_when_few(self, left: int) -> None:
        # Claimed by handfuls, not one by one as threads fall free.
        if left <= settings.OUTBOX_THREADS // 3:
            self._bell.ring()

    def _deliver(self, claim: Claim) -> None:
        try:
            delay = deliver(claim)
        except (DatabaseError, InterfaceError) as error:
            # Not even the failure could be recorded: the lease ends and the delivery falls due again.
            log.warning("database away", error=str(error))
            connection.close()
        else:
            if delay is not None:
                self._expect(monotonic() + delay.total_seconds())

    def _expect(self, due: float) -> None:
        with self._lock:
            self._next_due = min(self._next_due, due)

    def _rest(self) -> None:
        with self._lock:
            seconds = min(POLL_SECONDS, self._next_due - monotonic())
            if seconds <= 0:
                self._next_due = float("inf")
        self._bell.wait(seconds)

    def _is_over(self) -> bool:
        return (
            monotonic() >= self._ends_at
            or os.getppid() != self._parent
            or self._lifeline.state() is not Supervision.PRESENT
        )


def _by_handler(claims: list[Claim]) -> Iterator[list[Claim]]:
    """Group the claims by handler, so that no handler's failure undoes another's work.

    What was tried before stands alone, for it may be what made the others fail, or killed the worker.
    """
    for _, group in groupby(sorted(claims, key=_company), key=_company):
        yield list(group)


def _left_of(group: list[Claim]) -> list[Claim]:
    return deliver_together(group) if len(group) > 1 else group


def _company(claim: Claim) -> tuple[str, int]:
    return claim.handler, 0 if claim.attempts == 1 else claim.delivery_id

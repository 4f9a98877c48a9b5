"""The dispatch task: django-q2 runs it, and it stays to claim and deliver until its time is over.

Nothing but the rows in outbox_delivery says what is to be done; the task may start, end or die at any moment.
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from queue import SimpleQueue
from threading import Lock
from time import monotonic, sleep
from typing import TypeVar
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import connection

from tickets_project.metrics.timing import seconds_of
from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import DATABASE_AWAY, Claim, Reading
from tickets_project.outbox.context import names_of
from tickets_project.outbox.delivering import Batch, commit, commit_together, prepare
from tickets_project.outbox.failing import Undelivered
from tickets_project.outbox.subscriptions import Recording, subscriptions
from tickets_project.outbox.worker.crew import Crew
from tickets_project.outbox.worker.fairness import Fairness
from tickets_project.outbox.worker.grouping import by_handler
from tickets_project.outbox.worker.low_water import LowWater
from tickets_project.outbox.worker.presence import NoPlace, Presence, cluster_name
from tickets_project.outbox.worker.waking import Bell, Heard, Lifeline, Supervision
from tickets_project.spans import flush_spans

POLL_SECONDS = 1.0
# What one thread has prepared waits so long for what others are about to, since commits cost more than most effects.
GATHER_SECONDS = 0.008
_LAST_CALLS_SECONDS = 0.1

Outcome = TypeVar("Outcome")

log = structlog.get_logger(__name__)


def dispatch() -> None:
    """Deliver what falls due for a few minutes, unless this cluster has dispatchers enough."""
    with suppress(NoPlace):
        # They do not all end at the same moment.
        Dispatching(seconds=settings.OUTBOX_DISPATCH_SECONDS * random.uniform(0.8, 1)).run()  # noqa: S311 - no secret
        # The pool ends its processes without ceremony.
        flush_spans()


class Dispatching:
    """One stay of a dispatcher: its crew calls other services, its own thread does all database work of handlers."""

    def __init__(self, *, seconds: float) -> None:
        self.id = uuid4()
        self._ends_at = monotonic() + seconds
        self._parent = os.getppid()
        self._lifeline = Lifeline()
        self._bell = Bell()
        self._lease = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
        self._prepared: SimpleQueue[tuple[Claim, Recording]] = SimpleQueue()
        # Only these leases are renewed: what was lost on the way falls due again.
        self._in_hand: set[int] = set()
        self._lock = Lock()
        self._fairness = Fairness(subscriptions())
        self._low_water = LowWater(self._fairness.all)
        self._next_due = float("inf")
        self._may_be_due = True

    def run(self) -> None:
        """Deliver until the time is over or the supervisor wants to stop; then finish the work in hand.

        :raises NoPlace: if this cluster has dispatchers enough
        """
        presence = Presence(
            self.id,
            cluster=cluster_name(),
            places=settings.OUTBOX_DISPATCHERS,
            lease=self._lease,
            in_hand=lambda: list(self._in_hand),
        )
        with self._bell, presence:
            crew = Crew(settings.OUTBOX_THREADS, self._prepare, self._ring)
            try:
                while not self._is_over():
                    if not self._turn(crew):
                        self._rest()
            finally:
                self._finish(crew)

    def _finish(self, crew: Crew) -> None:
        self._release(crew.dismiss())
        # What is called already is recorded as it comes back.
        while crew.is_at_work() or not self._prepared.empty():
            self._recording_the_outcome(self._commit_prepared)
            self._bell.wait(_LAST_CALLS_SECONDS)

    def _release(self, unrun: list[Claim]) -> None:
        self._recording_the_outcome(partial(claiming.release, dispatcher=self.id, unrun=unrun))
        self._in_hand.difference_update(claim.delivery_id for claim in unrun)

    def _turn(self, crew: Crew) -> bool:
        """Commit what is prepared and claim what is due; False when there was neither, or the database is away."""
        try:
            committed = self._commit_prepared()
            claimed = self._claim_all(crew) if self._may_be_due else 0
        except DATABASE_AWAY as error:
            log.warning("database away", error=str(error))
            connection.close()
            return False
        return committed + claimed > 0

    def _claim_all(self, crew: Crew) -> int:
        # Cleared first: a thread may set it at any moment.
        self._may_be_due = False
        claimed = self._start_external(crew) + self._run_transactional(crew.busy())
        if claimed:
            self._may_be_due = True
            self._low_water.look()
        return claimed

    def _start_external(self, crew: Crew) -> int:
        busy = crew.busy()
        free = settings.OUTBOX_THREADS - busy.total()
        handlers = self._fairness.for_crew(busy=busy, free=free)
        claims = self._claim(handlers, (free + 1) // 2) if handlers else []
        for claim in claims:
            crew.give(claim)
        return len(claims)

    def _run_transactional(self, busy: Counter[str]) -> int:
        began = monotonic()
        turn = self._fairness.for_own_thread(busy=busy, now=began)
        self._look_again_in(turn.others_in)
        claims = self._claim(turn.handlers, turn.limit)
        for group in by_handler([pair for claim in claims for pair in self._effect_of(claim)]):
            self._commit_group(group)
        self._fairness.notice_turn(turn, began=began, ended=monotonic())
        return len(claims)

    def _claim(self, handlers: list[str], limit: int) -> list[Claim]:
        claims = claiming.claim(
            dispatcher=self.id,
            handlers=handlers,
            limit=limit,
            lease=self._lease,
            reading=Reading(urgent=self._fairness.urgent, since=self._low_water.since),
        )
        self._in_hand.update(claim.delivery_id for claim in claims)
        return claims

    def _commit_prepared(self) -> int:
        batch = [self._prepared.get() for _ in range(self._prepared.qsize())]
        for group in by_handler(batch):
            self._commit_group(group)
        return len(batch)

    def _prepare(self, claim: Claim) -> None:
        for pair in self._effect_of(claim):
            if self._fairness.is_transactional(claim.handler):
                self._commit(*pair)
                self._let_go([pair])
            else:
                self._prepared.put(pair)

    def _effect_of(self, claim: Claim) -> Batch:
        """Return the claim with its effect; nothing when it failed or waits."""
        begun = monotonic()
        outcome = self._recording_the_outcome(partial(prepare, claim), claim)
        if outcome is None or isinstance(outcome, Undelivered):
            self._fairness.notice_failure(claim.handler, seconds=monotonic() - begun)
            self._in_hand.discard(claim.delivery_id)
            return []
        return [(claim, outcome)]

    def _commit_group(self, group: Batch) -> None:
        """Commit effects of one handler: together while that goes well, then one by one; give back what is too slow."""
        together = len(group) > 1
        while group and not self._gives_back(group[0][0]):
            left = commit_together(group) if together else group
            if len(left) == len(group):
                together = False
                self._commit(*left[0])
                left = left[1:]
            self._let_go(group[: len(group) - len(left)])
            group = left
        if group:
            self._release([claim for claim, _ in group])

    def _gives_back(self, claim: Claim) -> bool:
        """Tell whether a transactional handler is to run elsewhere or later; what was called already is recorded."""
        handler = claim.handler
        return self._fairness.is_transactional(handler) and (self._fairness.is_slow(handler) or self._is_over())

    def _commit(self, claim: Claim, effect: Recording) -> None:
        begun = monotonic()
        if self._recording_the_outcome(partial(commit, claim, effect), claim):
            self._fairness.notice_failure(claim.handler, seconds=monotonic() - begun)

    def _let_go(self, done: Batch) -> None:
        self._in_hand.difference_update(claim.delivery_id for claim, _ in done)
        for claim, effect in done:
            self._fairness.notice(claim.handler, seconds=seconds_of(effect))

    def _recording_the_outcome(self, work: Callable[[], Outcome], *of: Claim) -> Outcome | None:
        """Do it, and remember when the delivery falls due again if it did not go well."""
        try:
            outcome = work()
        except DATABASE_AWAY as error:
            # Not even the failure could be recorded: the lease ends, and the delivery falls due again.
            log.warning("database away", error=str(error), **(names_of(*of) if of else {}))
            connection.close()
            return None
        if isinstance(outcome, Undelivered) and outcome.delay is not None:
            self._look_again_in(outcome.delay.total_seconds())
        return outcome

    def _look_again_in(self, seconds: float) -> None:
        with self._lock:
            self._next_due = min(self._next_due, monotonic() + seconds)

    def _ring(self, left: int) -> None:
        # Claimed by handfuls, not one by one as threads fall free.
        if left <= settings.OUTBOX_THREADS // 3:
            self._may_be_due = True
        self._bell.ring()

    def _rest(self) -> None:
        with self._lock:
            seconds = min(POLL_SECONDS, self._next_due - monotonic())
            if seconds <= 0:
                self._next_due = float("inf")
        match self._bell.wait(seconds):
            case Heard.MESSAGE:
                self._may_be_due = True
            case Heard.BELL:
                sleep(GATHER_SECONDS)
            case Heard.CLOCK:
                # Unless it knows better, it looks before it claims, for claims cost more when there is nothing.
                self._may_be_due = seconds < POLL_SECONDS or bool(self._recording_the_outcome(self._low_water.look))

    def _is_over(self) -> bool:
        return (
            monotonic() >= self._ends_at
            or os.getppid() != self._parent
            or self._lifeline.state() is not Supervision.PRESENT
        )

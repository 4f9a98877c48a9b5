"""Random processes of a worker are killed while events keep coming: each is handled, and each effect is there once.

`KILLS` and `KILL_EVENTS` say how many, and `KILL_SEED` repeats the choices of an earlier run, though not their moments.
"""

import logging
import os
import signal
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic, sleep

import pytest
import requests
from django.db import connection
from django.db.models import Max

from tests.crash.killing import MortalWorker, mortal_worker
from tests.crash.trial.books import Books
from tests.crash.trial.publishing import all_delivered
from tests.crash.victims import Cluster
from tests.journeys.bundles import Gateway
from tests.processes import eventually
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Dispatcher, Status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(1800)]

KILLS = int(os.environ.get("KILLS", "8"))
EVENTS = int(os.environ.get("KILL_EVENTS", "1500"))
SEED = int(os.environ.get("KILL_SEED", Random().randrange(1_000_000)))  # noqa: S311 - no secret

GOES_ON_WITHIN = 15
STOPS_WITHIN = 10

TICK_SECONDS = 0.05
EVENTS_PER_TICK = max(4, round(EVENTS / KILLS / 2 * TICK_SECONDS))
"""So that they last for two seconds a kill, which is about what one takes with the cluster's recovery."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """Processes were killed at once, and with them went so many deliveries that were in hand."""

    kinds: tuple[str, ...]
    at: datetime
    in_hand: int

    def __str__(self) -> str:
        return self.kinds[0] if len(self.kinds) == 1 else "two at once"


class Striker:
    """Kills processes of a worker at random, each as likely as any other, and sometimes two at once."""

    def __init__(self, worker: MortalWorker) -> None:
        self._worker, self._random = worker, Random(SEED)  # noqa: S311 - likewise
        self.strikes: list[Strike] = []
        self._rest()

    def may_strike(self) -> None:
        """Strike if it is time, and if the cluster has all its processes again.

        :raises TimeoutError: if it has not for a minute
        """
        late = monotonic() - self._next
        if late < 0 or self.kills().total() >= KILLS:
            return
        if cluster := self._worker.cluster():
            self._strike(cluster)
        elif late > 60:
            raise TimeoutError("The cluster does not come back.")

    def kills(self) -> Counter[str]:
        """Return how many processes of each kind were killed."""
        return Counter(kind for strike in self.strikes for kind in strike.kinds)

    def _strike(self, cluster: Cluster) -> None:
        processes = _kinds(cluster) | {self._worker.supervisor.pid: "supervisor"}
        victims = dict(self._random.sample([*processes.items()], self._random.choices((1, 2), weights=(4, 1))[0]))
        in_hand = sum(_in_hand(kind, pid) for pid, kind in victims.items())
        self.strikes.append(Strike(kinds=tuple(victims.values()), at=datetime.now(UTC), in_hand=in_hand))
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        if "supervisor" in victims.values():
            self._worker.kill_supervisor()
        self._rest()

    def _rest(self) -> None:
        self._next = monotonic() + self._random.uniform(0.5, 1.5)


def _kinds(cluster: Cluster) -> dict[int, str]:
    """Return the cluster's processes by what they do."""
    dispatchers = cluster.dispatchers()
    workers = {pid: "dispatcher" if pid in dispatchers else "idle worker" for pid in sorted(cluster.workers)}
    return workers | {
        cluster.pusher: "pusher",
        cluster.monitor: "monitor",
        cluster.sentinel: "sentinel",
        cluster.main: "main",
    }


def _in_hand(kind: str, pid: int) -> int:
    """Return how many deliveries go on elsewhere if this process dies."""
    held = Delivery.objects.filter(status=Status.PENDING, claimed_by__isnull=False)
    match kind:
        case "dispatcher":
            return held.filter(claimed_by__in=Dispatcher.objects.filter(pid=pid).values("id")).count()
        case "sentinel" | "main" | "supervisor":
            return held.count()
    return 0


def moments_of_effects() -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT at FROM trial_effect ORDER BY at")
        return [at for (at,) in cursor.fetchall()]


def pauses(strikes: list[Strike]) -> list[float]:
    """Return for each strike the most seconds without an effect between it and the next one."""
    effects = moments_of_effects()
    found = []
    for strike, following in pairwise([*(strike.at for strike in strikes), effects[-1]]):
        between = effects[bisect(effects, strike) : bisect(effects, following)]
        found.append(longest([strike, *between, following]))
    return found


def longest(moments: list[datetime]) -> float:
    return max((later - earlier).total_seconds() for earlier, later in pairwise(moments))


def report(striker: Striker, gateway: Gateway) -> None:
    """Log what the kills have done."""
    strikes, kills = striker.strikes, striker.kills()
    log.info("killed: %s", ", ".join(f"{number} x {kind}" for kind, number in kills.most_common()))
    log.info("%d of %d strikes hit work in hand, %d deliveries", hits(strikes), len(strikes), lost_hold(strikes))
    waits = pauses(strikes)
    for kind in dict.fromkeys(map(str, strikes)):
        own = [wait for strike, wait in zip(strikes, waits, strict=True) if str(strike) == kind]
        log.info("%-12s %3d strikes, longest pause %5.2f s, median %5.2f s", kind, len(own), max(own), median(own))
    log.info("longest pause, however many strikes it saw: %.2f s", longest(moments_of_effects()))
    again = Delivery.objects.filter(attempts__gt=1)
    log.info(
        "%d deliveries tried again, at most %s times", again.count(), again.aggregate(most=Max("attempts"))["most"]
    )
    calls = Counter(call["idempotency_key"] for call in gateway.calls("payments.refund"))
    log.info("%d of %d payments called for more than once", sum(times > 1 for times in calls.values()), len(calls))


def hits(strikes: list[Strike]) -> int:
    return sum(strike.in_hand > 0 for strike in strikes)


def lost_hold(strikes: list[Strike]) -> int:
    return sum(strike.in_hand for strike in strikes)


@pytest.fixture
def gateway(simulator: Simulator, http: requests.Session) -> Gateway:
    gateway = Gateway(simulator, http)
    # Long enough to be killed between a payment and its record.
    gateway.fault("payments.refund", count=1_000_000, delay_ms=150)
    return gateway


@pytest.fixture
def worker(trial: str, gateway: Gateway, tmp_path: Path) -> Iterator[MortalWorker]:
    """Run a worker with three dispatchers, and leases as in production."""
    del gateway
    settings = {
        "DJANGO_SETTINGS_MODULE": trial,
        "OUTBOX_DISPATCHERS": "3",
        "OUTBOX_THREADS": "8",
        "OUTBOX_LEASE_SECONDS": "10",
    }
    with (tmp_path / "worker.log").open("w") as output, mortal_worker(output, **settings) as worker:
        yield worker


def publish(books: Books) -> None:
    """Publish what keeps threads and dispatchers busy until the next time."""
    share = EVENTS_PER_TICK // 4
    books.publish(slept=share, seconds=0.3)
    books.publish(noted=EVENTS_PER_TICK - 3 * share, paid=share, dozed=share, seconds=0.02)


def test_each_effect_is_there_once(worker: MortalWorker, gateway: Gateway) -> None:
    log.info("seed %d", SEED)
    books, striker, began_at = Books(), Striker(worker), monotonic()
    while len(books) < EVENTS or striker.kills().total() < KILLS:
        publish(books)
        striker.may_strike()
        sleep(TICK_SECONDS)
    publish(books)
    eventually(all_delivered, seconds=300)
    log.info("%d events and %d kills in %.0f s", len(books), striker.kills().total(), monotonic() - began_at)
    report(striker, gateway)
    books.assert_balance()
    assert max(pauses(striker.strikes)) < GOES_ON_WITHIN
    assert hits(striker.strikes) > 0
    assert worker.stop() < STOPS_WITHIN
    # One whose supervisor was killed has its own time to end.
    eventually(lambda: not worker.left(), seconds=STOPS_WITHIN)

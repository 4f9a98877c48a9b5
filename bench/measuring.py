"""How a contender is measured, the same way for each: by the rows that its handler wrote, and by what it uses."""

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from statistics import median, quantiles
from time import sleep

import psutil
import psycopg

from bench.contenders import Installation

# Both processes are at work by then.
_WARM_UP = 0.1
# Each process handles its first event later than any other.
_FIRST_EVENTS = 10
_SETTLE_SECONDS = 5
_RATE = """
    SELECT count(*) / nullif(extract(epoch FROM max(inserted_at) - min(inserted_at)), 0)
    FROM (SELECT inserted_at FROM bench_effect ORDER BY inserted_at OFFSET %s) AS measured
"""
_TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """From the commit to the start of the handler, in milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Idleness:
    """What the workers use while nothing happens: percent of one core, and transactions per second."""

    cpu: float
    transactions: float


def rate(installation: Installation, events: int, *, clusters: int = 1, **environment: str) -> float:
    """Return how many events per second were handled out of a backlog, after its first tenth."""
    installation.enqueue(events)
    with ExitStack() as stack:
        for _ in range(clusters):
            stack.enter_context(installation.working(**environment))
        installation.wait_for(events)
        # Who hands out an event twice shows it now.
        sleep(0.5)
    installation.check(events)
    with psycopg.connect(installation.database) as connection:
        row = connection.execute(_RATE, [int(events * _WARM_UP)]).fetchone()
    return float(row[0]) if row and row[0] else float("nan")


def latency(installation: Installation, events: int) -> Latency:
    """Return how soon the handler of a single event starts, on an otherwise idle system."""
    with installation.working():
        committed_at = installation.trickle(events)
        installation.wait_for(events)
    installation.check(events)
    with psycopg.connect(installation.database) as connection:
        started_at: dict[int, float] = dict(connection.execute("SELECT event, started_at FROM bench_effect").fetchall())
    waits = [1000 * (started_at[event] - moment) for event, moment in enumerate(committed_at)][_FIRST_EVENTS:]
    return Latency(p50=median(waits), p99=quantiles(waits, n=100)[98])


def idleness(installation: Installation, *, server: str, seconds: float) -> Idleness:
    """Return what the workers use when there is nothing to do."""
    installation.enqueue(0)
    with installation.working() as started, psycopg.connect(server, autocommit=True) as observer:
        sleep(_SETTLE_SECONDS)
        name = psycopg.conninfo.conninfo_to_dict(installation.database)["dbname"]
        cpu, transactions = _cpu_seconds(started), _transactions(observer, str(name))
        sleep(seconds)
        return Idleness(
            cpu=100 * (_cpu_seconds(started) - cpu) / seconds,
            transactions=(_transactions(observer, str(name)) - transactions) / seconds,
        )


def _transactions(observer: "psycopg.Connection[tuple[int]]", database: str) -> int:
    """Count from another database, so that the counting is not counted."""
    row = observer.execute(_TRANSACTIONS, [database]).fetchone()
    return row[0] if row else 0


def _cpu_seconds(started: list[int]) -> float:
    """Return the time of all processes that descend from these."""
    total = 0.0
    for root in map(psutil.Process, started):
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
    return total

"""Bookings made on one show, and scans at the door, per second, by eight clients over HTTP on the demo's web server.

Measured besides, in the same run: what the server does when it has nothing to do but answer, and how often the row of
one show can be changed at all.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from statistics import median
from time import monotonic, process_time, sleep

import django

django.setup()

import psutil
import psycopg
from django.db import connection

from bench.clients import Client, Load, ask_without_pause
from bench.installation import ROOT, command, free_port, process
from bench.results import Line, keep
from bench.visitors import CLIENTS, Visitors, a_show, customers, doorkeepers, passers_by, scanners
from bookings.models import Show

# Enough for clients that never pause; counting the requests costs the same.
THROTTLE = "100000/min"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One line of the table."""

    what: str
    visitors: Visitors
    worker: bool = False
    target: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round has found; the CPU times are milliseconds for each answer."""

    load: Load
    web: float
    database: float
    clients: float


LIVE = Kind(what="`GET /health/live`", visitors=passers_by)
BOOKINGS = Kind(what="bookings made on one show by 8 clients over HTTP", visitors=customers, target=120)
SCANS = Kind(what="scans by 8 clients over HTTP", visitors=scanners, target=150)
PAGE = Kind(what="scans by 8 people at the admin's page", visitors=doorkeepers)
KINDS = (
    LIVE,
    BOOKINGS,
    SCANS,
    PAGE,
    Kind(what="bookings, while the worker delivers what follows from them", visitors=customers, worker=True),
    Kind(what="scans, likewise", visitors=scanners, worker=True),
)
MOST_P95 = 100


def main() -> None:
    """Measure by turns, print the medians, and keep them for bench/results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6, help="of each round, after a first one that does not count")
    options = parser.parse_args()
    rounds: dict[Kind, list[Round]] = {kind: [] for kind in KINDS}
    row: list[float] = []
    for _ in range(options.rounds):
        row.append(row_changes(options.seconds))
        for kind, found in rounds.items():
            found.append(measured(kind, options.seconds))
    lines = [line(kind, rounds) for kind in (BOOKINGS, SCANS, PAGE)]
    details = "\n".join(table(rounds, row))
    keep("serving", lines, details=details)
    print("\n".join(map(str, lines)), details, sep="\n\n")


def measured(kind: Kind, seconds: float) -> Round:
    """Start the server, and let the visitors of this kind in."""
    with ExitStack() as stack:
        port, server = stack.enter_context(web_server())
        if kind.worker:
            stack.enter_context(process("run_worker"))
        clients = kind.visitors(port)
        # The processes import what they need with their first requests.
        ask_without_pause(clients, seconds=0.5)
        before = used_seconds(server)
        load = ask_without_pause(clients, seconds=seconds)
        used = [1000 * (now - then) for now, then in zip(used_seconds(server), before, strict=True)]
    # The second that is not counted is in the times.
    web, database, own = (milliseconds / (load.rate * (seconds + 1)) for milliseconds in used)
    return Round(load=load, web=web, database=database, clients=own)


@contextmanager
def web_server() -> Iterator[tuple[int, psutil.Process]]:
    """Run the server as the Procfile does; yield its port and its main process when all its processes answer."""
    port = free_port()
    [line] = [line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web: ")]
    with command("sh", "-c", f"exec {line[5:]}", WEB_PORT=str(port), API_THROTTLE=THROTTLE) as running:
        server = psutil.Process(running.pid)
        wait_until_ready(port, server)
        yield port, server


def wait_until_ready(port: int, server: psutil.Process) -> None:
    """Wait until the server answers and all its processes have come to rest.

    :raises TimeoutError: if they do not within a minute
    """
    deadline, answered, used = monotonic() + _START_SECONDS, False, -1.0
    while not (answered and used == (used := seconds_of(server.children()))):
        if monotonic() > deadline:
            raise TimeoutError(f"The server was not ready within {_START_SECONDS} s.")
        with suppress(OSError, HTTPException):
            Client(port).get("/health/live")
            answered = True
        sleep(0.5)


def used_seconds(server: psutil.Process) -> list[float]:
    """Return the CPU time so far of the server, of its database connections, and of the clients."""
    return [seconds_of(server.children()), seconds_of(backends()), process_time()]


def backends() -> list[psutil.Process]:
    """Return PostgreSQL's processes for this database; none when it runs elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        found = [psutil.Process(pid) for (pid,) in cursor.fetchall() if psutil.pid_exists(pid)]
    return [each for each in found if each.name() == "postgres"]


def seconds_of(processes: list[psutil.Process]) -> float:
    """Return the CPU time of those that still run."""
    total = 0.0
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def row_changes(seconds: float) -> float:
    """Return how often a second eight bare connections change the row of one show and commit."""
    show = a_show()
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(lambda _: _changes(show, seconds), range(CLIENTS))) / seconds


def _changes(show: Show, seconds: float) -> int:
    changes, end = 0, monotonic() + seconds
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as bare:
        while monotonic() < end:
            bare.execute("UPDATE bookings_show SET seats_held = seats_held + 1 WHERE id = %s", [show.id])
            changes += 1
    return changes


def line(kind: Kind, rounds: Mapping[Kind, Sequence[Round]]) -> Line:
    """Return what was found of one kind, against a server that has only to answer."""
    found, idle = loads(rounds[kind]), loads(rounds[LIVE])
    return Line(
        what=kind.what,
        measured=f"{found.rate:.0f}/s, p50 {found.p50:.0f} ms, p95 {found.p95:.0f} ms",
        against=f"{LIVE.what} by the same: {idle.rate:.0f}/s",
        ratio=f"{found.rate / idle.rate:.2f}",
        target=f"≥ {kind.target}/s, p95 ≤ {MOST_P95} ms" if kind.target else "reported",
        met=found.rate >= kind.target and found.p95 <= MOST_P95 if kind.target else None,
    )


def loads(rounds: Sequence[Round]) -> Load:
    """Return the medians."""
    found = [one.load for one in rounds]
    return Load(
        rate=median(load.rate for load in found),
        p50=median(load.p50 for load in found),
        p95=median(load.p95 for load in found),
    )


def table(rounds: Mapping[Kind, Sequence[Round]], row: Sequence[float]) -> Iterator[str]:
    """Yield what a request costs whom, as Markdown."""
    yield (
        f"Serving: {CLIENTS} clients, medians of {len(row)} rounds by turns, load average {os.getloadavg()[0]:.1f} at "
        f"the end. The row of one show takes {median(row):.0f} bare changes a second, each committed."
    )
    yield ""
    yield "| request | per second | all rounds | p50, p95 (ms) | CPU ms each: web, PostgreSQL, clients |"
    yield "|---|---:|---|---:|---|"
    for kind, found in rounds.items():
        load, each = loads(found), ", ".join(f"{one.load.rate:.0f}" for one in found)
        costs = [median(cost) for cost in zip(*((one.web, one.database, one.clients) for one in found), strict=True)]
        yield (
            f"| {kind.what} | {load.rate:.0f} | {each} | {load.p50:.0f}, {load.p95:.0f} | "
            f"{', '.join(f'{cost:.1f}' for cost in costs)} |"
        )


if __name__ == "__main__":
    main()

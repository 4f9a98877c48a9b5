"""Who takes part: how each is installed, given events, and run."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic, sleep

import psycopg

from bench.installation import ROOT, command, fresh_database
from bench.table import TABLE

PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
_MOST_SECONDS = 300
_REDIS_SECONDS = 0.5


class WrongRows(Exception):
    """Not every event has its one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A way to handle events, in a database of its own."""

    name: str
    about: str
    module: str
    python: str = str(PEERS_PYTHON)
    # Who is started to handle the events, when it is not the module itself.
    worker: str = ""
    argument: str = "work"
    processes: int = 1
    redis: bool = False

    def absent(self) -> str:
        """Return what it lacks on this machine, or nothing."""
        if not os.access(self.python, os.X_OK):
            return "skipped: `make bench` makes .venv-bench, which is missing"
        if self.redis and not shutil.which("redis-server"):
            return "skipped: redis-server is not installed"
        return ""


OURS = Contender(
    name="ours", about="this outbox, `run_worker` with 2 dispatchers", module="bench.ours", python=sys.executable
)
CONTENDERS = [
    Contender(
        name="floor",
        about="the floor: our SQL in a bare psycopg loop, 2 processes, batches of 20",
        module="bench.ours",
        worker="bench.floor",
        argument="20",
        python=sys.executable,
        processes=2,
    ),
    Contender(
        name="floor_of_100",
        about="the floor in batches of 100, as large as ours",
        module="bench.ours",
        worker="bench.floor",
        argument="100",
        python=sys.executable,
        processes=2,
    ),
    OURS,
    Contender(
        name="django_q2", about="django-q2, ORM broker, a task per event, 2 workers", module="bench.peers.django_q2"
    ),
    Contender(
        name="procrastinate",
        about="procrastinate, async, 2 processes of 10 jobs",
        module="bench.peers.on_procrastinate",
        processes=2,
    ),
    Contender(
        name="celery", about="Celery on Redis, acks late, 2 processes", module="bench.peers.on_celery", redis=True
    ),
    Contender(
        name="outbox_pattern",
        about="django-outbox-pattern, its relay alone, 2 processes",
        module="bench.peers.outbox_pattern",
        processes=2,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A contender with its tables made."""

    contender: Contender
    environment: dict[str, str]

    @property
    def database(self) -> str:
        """Return the URL of its database."""
        return self.environment["DATABASE_URL"]

    def call(self, *arguments: str) -> str:
        """Run its command line to the end, and return what it printed."""
        return subprocess.run(
            [self.contender.python, "-m", self.contender.module, *arguments],
            cwd=ROOT,
            env=os.environ | self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def enqueue(self, events: int) -> None:
        """Leave it a backlog, with no effects yet and fresh statistics."""
        self.call("enqueue", str(events))
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("TRUNCATE bench_effect")
            connection.execute("VACUUM ANALYZE")

    def trickle(self, events: int) -> list[float]:
        """Publish one at a time; return the moments of the commits."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("TRUNCATE bench_effect")
        moments: list[float] = json.loads(self.call("trickle", str(events)))
        return moments

    @contextmanager
    def working(self, **more: str) -> Iterator[list[int]]:
        """Run its workers; yield the ids of the processes that were started."""
        module = self.contender.worker or self.contender.module
        arguments = [self.contender.python, "-m", module, self.contender.argument]
        with ExitStack() as stack:
            yield [
                stack.enter_context(command(*arguments, **(self.environment | more))).pid
                for _ in range(self.contender.processes)
            ]

    def wait_for(self, events: int) -> None:
        """Wait until every event has its row.

        :raises WrongRows: if that takes too long
        """
        deadline = monotonic() + _MOST_SECONDS
        with psycopg.connect(self.database, autocommit=True) as connection:
            while _count(connection) < (events, events):
                if monotonic() > deadline:
                    raise WrongRows(f"{self.contender.name}: {_count(connection)} of {events} rows in time")
                sleep(0.1)

    def check(self, events: int) -> None:
        """Look at the rows after the workers have ended.

        :raises WrongRows: if any event has none, or two
        """
        with psycopg.connect(self.database) as connection:
            if (counted := _count(connection)) != (events, events):
                raise WrongRows(f"{self.contender.name}: {counted} rows and events instead of {events}")


def _count(connection: "psycopg.Connection[tuple[int, int]]") -> tuple[int, int]:
    row = connection.execute("SELECT count(*), count(DISTINCT event) FROM bench_effect").fetchone()
    return row or (0, 0)


@contextmanager
def install(contender: Contender, server: str) -> Iterator[Installation]:
    """Give it a database with its tables and the table of the effects, and Redis if it needs that."""
    with ExitStack() as stack:
        environment = {"DATABASE_URL": stack.enter_context(fresh_database(server, f"tickets_bench_{contender.name}"))}
        if contender.redis:
            environment["REDIS_URL"] = stack.enter_context(_redis())
        installation = Installation(contender=contender, environment=environment)
        installation.call("install")
        with psycopg.connect(installation.database) as connection:
            connection.execute(TABLE)
        yield installation


@contextmanager
def _redis() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.socket"
        with command("redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"):
            sleep(_REDIS_SECONDS)
            yield f"redis+socket://{path}"

"""The project's own processes, really started, on the test's database and gateway."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection

from tickets_project.outbox.models import Dispatcher

ROOT = Path(__file__).resolve().parent.parent
DISPATCH = "tickets_project.outbox.worker.dispatching.dispatch"


def database_url() -> str:
    """Return the address of the test's own database."""
    database = connection.settings_dict
    user = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}"
    return f"postgresql://{user}@/{database['NAME']}?host={quote(database['HOST'], safe='')}&port={database['PORT']}"


@contextmanager
def running(
    *command: str, output: IO[str] | int = subprocess.PIPE, through: Sequence[str] = (), **environment: str
) -> Iterator["subprocess.Popen[str]"]:
    """Run a management command until the end of the block, which it must not outlive by ten seconds.

    :param output: a file for what it prints; one that prints much is stopped by a pipe that nobody reads
    :param through: a program with its arguments, which runs the command that follows them
    """
    process = subprocess.Popen(
        [*through, sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | _surroundings() | environment,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=15)
        finally:
            process.kill()


def _surroundings() -> dict[str, str]:
    return {"DATABASE_URL": database_url(), "GATEWAY_URL": settings.GATEWAY_URL, "EMAIL_URL": "dummymail://"}


@contextmanager
def worker(
    *, output: IO[str] | int = subprocess.PIPE, through: Sequence[str] = (), **environment: str
) -> Iterator["subprocess.Popen[str]"]:
    """Run the worker; the block begins when a dispatcher is at work."""
    with running("run_worker", output=output, through=through, **environment) as process:
        eventually(Dispatcher.objects.exists, seconds=90)
        yield process


def cluster_processes(supervisor: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Return the processes of the supervisor's cluster, its main process first."""
    return psutil.Process(supervisor.pid).children(recursive=True)


def session_of(leader: int) -> list[int]:
    """Return the processes of a session, also when its leader is gone."""
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(pid) == leader and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def eventually(holds: Callable[[], object], *, seconds: float = 10) -> None:
    """Wait until it holds.

    :raises TimeoutError: if it does not in time
    """
    deadline = monotonic() + seconds
    while not holds():
        if monotonic() > deadline:
            raise TimeoutError(f"still not so after {seconds} s: {holds}")
        sleep(0.02)

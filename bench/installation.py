"""A whole installation for one benchmark: a database of its own, the simulator and the worker, as real processes."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import psycopg
import requests

from tickets_project.embedded_postgres import embedded_database

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "tickets_bench"
# The simulator stands for another machine: its files are no work for this one's disk.
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder below it has a name that nobody can guess
_START_SECONDS = 30
_STOP_SECONDS = 20


def server_url() -> str:
    """Return DATABASE_URL, or else the address of the embedded server, kept running by this process."""
    if url := os.environ.get("DATABASE_URL"):
        return url
    server = embedded_database(ROOT / "var" / "postgres")
    return f"postgresql://{server['USER']}@/{server['NAME']}?host={quote(server['HOST'])}&port={server['PORT']}"


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def fresh_database(server_url: str, name: str = DATABASE) -> Iterator[str]:
    """Make an empty database beside the one of this URL, and drop it at the end; yield its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        parameters = connection.info
        address = f"{parameters.user}:{parameters.password}@/{name}"
        try:
            yield f"postgresql://{address}?host={quote(parameters.host)}&port={parameters.port}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def process(*arguments: str, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a management command until the end of the block; its log goes to a file under the temporary folder."""
    with command(sys.executable, "manage.py", *arguments, **environment) as running:
        yield running


@contextmanager
def command(*arguments: str, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run any command likewise; whatever it leaves of its session is killed."""
    with tempfile.TemporaryFile() as log:
        running = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                running.wait(_STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()


@contextmanager
def gateway(latency_ms: int) -> Iterator[str]:
    """Run the simulator with this latency; yield its address."""
    port = free_port()
    with ExitStack() as stack:
        files = stack.enter_context(tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None))
        stack.enter_context(
            process("gateway_simulator", f"--port={port}", f"--latency-ms={latency_ms}", f"--files={files}")
        )
        _wait_for(f"http://127.0.0.1:{port}/_simulator/health")
        yield f"http://127.0.0.1:{port}"


def _wait_for(url: str) -> None:
    deadline = monotonic() + _START_SECONDS
    while monotonic() < deadline:
        with suppress(requests.RequestException):
            requests.get(url, timeout=1)
            return
        sleep(0.05)
    raise TimeoutError(url)

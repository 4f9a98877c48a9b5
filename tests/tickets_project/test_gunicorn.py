"""How gunicorn serves the project when it is started in its folder."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from time import sleep

import pytest

from tests.processes import ROOT, eventually

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@dataclass(frozen=True, slots=True)
class Server:
    """A web server as production runs it, and where it listens."""

    process: "subprocess.Popen[bytes]"
    port: int


@pytest.fixture
def server() -> Iterator[Server]:
    """Run the server until it answers, and to the end of the test."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "tickets_project.wsgi", f"--bind=127.0.0.1:{port}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": NOWHERE},
        start_new_session=True,
    )
    try:
        eventually(lambda: answers(port), seconds=60)
        yield Server(process, port)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port: int) -> bool:
    """Return whether a server answers there."""
    with suppress(OSError), closing(HTTPConnection("127.0.0.1", port)) as asked:
        asked.request("GET", "/health/live")
        return asked.getresponse().status == HTTPStatus.OK
    return False


def configuration(*arguments: str, **variables: str) -> dict[str, str]:
    """Return what gunicorn would start with."""
    printed = subprocess.run(
        [sys.executable, "-m", "gunicorn", "tickets_project.wsgi", "--print-config", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": NOWHERE} | variables,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in printed.splitlines())}


class TestConfiguration:
    def test_answers_eight_requests_at_once_on_two_processors(self) -> None:
        found = configuration()
        assert (found["workers"], found["threads"], found["control_socket_disable"]) == ("2", "4", "True")

    @pytest.mark.parametrize(
        ("arguments", "variables"), [((), {"WEB_CONCURRENCY": "5"}), (("--workers", "5"), {"WEB_CONCURRENCY": "3"})]
    )
    def test_takes_another_number_of_processes(self, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
        assert configuration(*arguments, **variables)["workers"] == "5"


class TestStop:
    def test_waits_for_nobody_who_asks_nothing(self, server: Server) -> None:
        with closing(HTTPConnection("127.0.0.1", server.port)) as kept:
            kept.request("GET", "/health/live")
            kept.getresponse().read()
            server.process.terminate()
            # A second for each look at the clock, two for gunicorn's `keepalive`; without the first it is thirty.
            server.process.wait(timeout=8)

    def test_answers_who_has_begun_to_ask(self, server: Server) -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=8) as asking:
            asking.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            sleep(0.5)
            server.process.terminate()
            sleep(1.5)
            asking.sendall(b"\r\n")
            assert asking.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
        server.process.wait(timeout=8)

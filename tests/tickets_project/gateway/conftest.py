"""The simulator over real HTTP, and an upstream that answers with prepared bytes."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import pytest
import requests
from pytest_django import Settings

from tickets_project.gateway.simulator.server import Simulator


@pytest.fixture
def simulator(tmp_path: Path, settings: Settings) -> Iterator[Simulator]:
    """Be the gateway for one test."""
    with Simulator(files=tmp_path / "files") as simulator:
        settings.GATEWAY_URL = simulator.url
        yield simulator


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """Speak to the simulator as a client that is not ours."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def fault(simulator: Simulator, http: requests.Session) -> Callable[..., None]:
    """Make the simulator misbehave."""

    def add(operation: str, count: int = 1, **fields: object) -> None:
        body = {"operation": operation, "count": count, **fields}
        assert http.post(f"{simulator.url}/_simulator/faults", json=body).status_code == 201

    return add


@pytest.fixture
def answering(settings: Settings) -> Iterator[Callable[[bytes], None]]:
    """Point the gateway at an upstream that gives every connection this one answer."""
    with ExitStack() as stack:

        def start(answer: bytes) -> None:
            settings.GATEWAY_URL = stack.enter_context(_upstream(answer))

        yield start


@contextmanager
def _upstream(answer: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_answer_all, args=(listener, answer))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer_all(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _address = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

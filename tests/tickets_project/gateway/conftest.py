"""An upstream that answers with prepared bytes, and the faults that every call must tell apart."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

import pytest
from pytest_django import Settings

from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError


@pytest.fixture
def tells_faults_apart(fault: Callable[..., None], settings: Settings) -> Callable[[str, Callable[[], object]], None]:
    """Let a call meet its operation's faults, and check which it holds to be temporary."""

    def check(operation: str, call: Callable[[], object]) -> None:
        for trouble in ({"status": 500}, {"status": 204}, {"drop": "before"}, {"drop": "after"}):
            fault(operation, **trouble)
            with pytest.raises(TemporaryUpstreamError):
                call()
        fault(operation, status=403)
        with pytest.raises(PermanentUpstreamError):
            call()
        settings.GATEWAY_TIMEOUTS = (5, 0.2)
        fault(operation, delay_ms=2000)
        with pytest.raises(TemporaryUpstreamError, match="no answer within"):
            call()

    return check


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

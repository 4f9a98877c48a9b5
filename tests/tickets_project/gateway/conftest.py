"""An upstream that answers with prepared bytes."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

import pytest
from pytest_django import Settings


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

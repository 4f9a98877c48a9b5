"""A webhook on a real port: it keeps what arrives, checks signatures and answers as it is told."""

import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One callback as it arrived; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    def tickets(self) -> list[dict[str, Any]]:
        return list(json.loads(self.body)["tickets"])

    def verified(self) -> Any:
        """Return the content after the check that our API makes."""
        return Webhook(SECRET).verify(self.body, self.headers)


class Receiver(ThreadingHTTPServer):
    """Answers 200, or the next of `answers`, where 0 hangs up; never while `open` is clear."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.received: list[Received] = []
        self.answers: deque[int] = deque()
        self.open = Event()
        self.open.set()
        self.at_once = 0
        self.most_at_once = 0
        self.lock = Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/api/v1/vendor/tickets-status/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about callers that did not wait for their answer."""

    def wait_for(self, count: int) -> list[Received]:
        """Return what arrived once it is that much."""
        end = time.monotonic() + 5
        while len(self.received) < count and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.received) == count
        return self.received


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        receiver = self.server
        with receiver.lock:
            receiver.at_once += 1
            receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
            receiver.received.append(self._received())
            status = receiver.answers.popleft() if receiver.answers else 200
        receiver.open.wait(10)
        if status:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"{}")
        with receiver.lock:
            receiver.at_once -= 1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the test's output clean."""

    def _received(self) -> Received:
        return Received(
            method=self.command,
            path=self.path,
            headers={name.lower(): text for name, text in self.headers.items()},
            body=self.rfile.read(int(self.headers["Content-Length"])),
            at=time.monotonic(),
        )


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """Serve for a while."""
    with Receiver(port) as receiver:
        thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.open.set()
            receiver.shutdown()
            thread.join()

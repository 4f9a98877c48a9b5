"""Clients that ask a web server without pause, each over a connection that it keeps, and how long they wait.

They are threads of one process, which says what they cost: the server has to share the machine with them.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from statistics import median, quantiles
from time import monotonic, perf_counter

Ask = Callable[[], object]
"""One request of one client."""

_WARM_UP_SECONDS = 1.0


class UnexpectedAnswer(Exception):
    """The server did not do what was asked, so its speed says nothing."""


class Client:
    """One connection, with the headers that all its requests have."""

    def __init__(self, port: int, **headers: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = headers

    def get(self, path: str) -> bytes:
        """Return what is there."""
        return self._ask("GET", path, status=HTTPStatus.OK)

    def post_json(self, path: str, fields: Mapping[str, object], *, status: HTTPStatus) -> bytes:
        """Post as programs do; return the answer, which has this status."""
        return self._ask("POST", path, json.dumps(fields).encode(), "application/json", status=status)

    def post_form(self, path: str, fields: Mapping[str, str]) -> bytes:
        """Post as the script of a page does; return the answer."""
        part = '--part\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        body = "".join([*(part.format(*field) for field in fields.items()), "--part--\r\n"])
        return self._ask("POST", path, body.encode(), "multipart/form-data; boundary=part", status=HTTPStatus.OK)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "text/plain", *, status: HTTPStatus
    ) -> bytes:
        self._connection.request(method, path, body, {**self._headers, "Content-Type": kind})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != status:
            raise UnexpectedAnswer(f"{method} {path}: {response.status} {answer[:300]!r}")
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the clients have met: answers per second, and milliseconds until half and 95 % of them had come."""

    rate: float
    p50: float
    p95: float


def ask_without_pause(clients: Sequence[Ask], *, seconds: float) -> Load:
    """Let each client ask again as soon as it is answered; the first second is not counted.

    :raises UnexpectedAnswer: if a client is answered otherwise than it should be
    """
    begin = monotonic() + _WARM_UP_SECONDS
    with ThreadPoolExecutor(len(clients)) as pool:
        runs = pool.map(lambda ask: list(_waits(ask, begin, begin + seconds)), clients)
        waits = [wait for run in runs for wait in run]
    return Load(rate=len(waits) / seconds, p50=median(waits), p95=quantiles(waits, n=20)[-1])


def _waits(ask: Ask, begin: float, end: float) -> Iterator[float]:
    while (now := monotonic()) < end:
        asked = perf_counter()
        ask()
        if now >= begin:
            yield 1000 * (perf_counter() - asked)

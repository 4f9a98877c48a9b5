"""Showing what was counted: by the web server, and by a worker that has a host of its own."""

from collections.abc import Iterable
from hmac import compare_digest
from http import HTTPStatus
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.multiprocess import MultiProcessCollector

from tickets_project.metrics.places import directory

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def counted() -> CollectorRegistry:
    """Return what all processes of this host have counted."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(directory()))  # type: ignore[no-untyped-call] # the library has no types here
    return registry


def may_read(authorization: str) -> bool:
    """Tell whether a request with this header may read the numbers: anybody's may when METRICS_TOKEN is unset."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    return not settings.METRICS_TOKEN or compare_digest(authorization.encode(), expected.encode())


def serve(port: int) -> ThreadingWSGIServer:
    """Serve what was counted at this port until the process ends.

    :raises OSError: if the port is not to be had
    """
    server = make_server("", port, _page, ThreadingWSGIServer, _Quiet)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log no line for each scrape."""


def _page(environment: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    if environment["PATH_INFO"].rstrip("/") != "/metrics":
        return _refusal(HTTPStatus.NOT_FOUND, start_response)
    if not may_read(environment.get("HTTP_AUTHORIZATION", "")):
        return _refusal(HTTPStatus.UNAUTHORIZED, start_response)
    page: Iterable[bytes] = make_wsgi_app(counted())(environment, start_response)
    return page


def _refusal(status: HTTPStatus, start_response: "StartResponse") -> list[bytes]:
    headers = [("WWW-Authenticate", "Bearer")] if status == HTTPStatus.UNAUTHORIZED else []
    start_response(f"{status.value} {status.phrase}", headers)
    return []

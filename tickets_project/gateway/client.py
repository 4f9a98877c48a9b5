"""The one way to the gateway: pooled HTTP with time-outs, the trace, and typed errors."""

import os
import re
from collections.abc import Collection
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from time import perf_counter
from typing import TypeVar
from urllib.parse import quote

import msgspec
import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

from tickets_project.correlation import current_trace
from tickets_project.gateway.errors import no_answer, unlisted_answer
from tickets_project.metrics.counters import count_call
from tickets_project.spans import Kind, span

T = TypeVar("T")

# Collections whose things have paths of their own: their names are no part of the operation that is counted.
_NAMED = re.compile(r"^/(files|sheets|flight-tickets|taxi-booking)/[^/]+")


def call(  # noqa: PLR0913 - the parts of an HTTP call
    service: str,
    method: str,
    path: str,
    *,
    expected: Collection[int],
    body: bytes | None = None,
    content_type: str = "application/json",
) -> requests.Response:
    """Call an operation once and return its answer, read whole.

    :param path: below the service's prefix, percent-encoded
    :param expected: the statuses in the operation's table
    :raises TemporaryUpstreamError: if no answer came, or one that may change by itself
    :raises PermanentUpstreamError: if a 4xx outside the table came that does not pass by itself
    """
    operation = f"{method} {service}{path}"
    headers = {} if body is None else {"Content-Type": content_type}
    status, started = None, perf_counter()
    try:
        response = _send(method, f"{settings.GATEWAY_URL}/{service}{path}", body=body, headers=headers)
        status = response.status_code
    except requests.RequestException as error:
        raise no_answer(operation, _reason(error)) from error
    finally:
        counted = service + _NAMED.sub(r"/\1/{name}", path)
        count_call(counted, method, status, seconds=perf_counter() - started)
    if response.status_code not in expected:
        raise unlisted_answer(operation, response.status_code, response.content)
    return response


def _send(method: str, url: str, *, body: bytes | None, headers: dict[str, str]) -> requests.Response:
    """Send it as one span; the trace goes with it."""
    with span(method, Kind.CLIENT, {"http.request.method": method, "url.full": url}) as sent:
        trace = current_trace()
        headers |= {"Correlation-ID": trace.correlation_id}
        if trace.traceparent:
            headers["traceparent"] = trace.traceparent
        response = _session(os.getpid()).request(
            method, url, data=body, headers=headers, timeout=settings.GATEWAY_TIMEOUTS, allow_redirects=False
        )
        sent.tell({"http.response.status_code": response.status_code})
        return response


def read(response: requests.Response, shape: type[T]) -> T:
    """Return the JSON of an answer as a value of this type.

    :raises TemporaryUpstreamError: if the JSON does not fit
    """
    try:
        return msgspec.json.decode(response.content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        operation = f"{response.request.method} {response.request.path_url.removeprefix('/')}"
        raise unlisted_answer(operation, response.status_code, response.content, str(error)) from error


def path_segment(name: str) -> str:
    """Return a name percent-encoded, to stand between two slashes of a path.

    :raises ValueError: if no URL can hold it
    """
    # HTTP clients resolve dot segments even when they are percent-encoded.
    if name in {"", ".", ".."}:
        raise ValueError(f"{name!r} cannot be a name in a URL.")
    return quote(name, safe="")


# Keyed by the process: a child that was forked must not write into its parent's connections.
@lru_cache(maxsize=1)
def _session(process_id: int) -> requests.Session:  # noqa: ARG001 - the key
    session = requests.Session()
    session.trust_env = False
    # Threads share the session, and cookies would be the one thing that changes in it.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_maxsize=settings.OUTBOX_THREADS, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _reason(error: requests.RequestException) -> str:
    to_connect, to_answer = settings.GATEWAY_TIMEOUTS
    match error:
        case requests.ConnectTimeout():
            return f"no connection within {to_connect} s"
        case requests.Timeout():
            return f"no answer within {to_answer} s, so the work may or may not be done"
        case _:
            # urllib3 wraps what the system said in what it tried.
            cause = getattr(error.args[0] if error.args else None, "reason", error)
            return f"no connection, or it broke: {str(cause).rpartition('connection: ')[2]}"

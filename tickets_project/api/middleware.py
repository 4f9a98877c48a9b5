"""What happens around every request: a trace and a log line, and no difference between /shows and /shows/."""

import re
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.urls import is_valid_path

from tickets_project.api.problems import Problem
from tickets_project.correlation import Trace, tracing
from tickets_project.spans import Kind, span

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
# W3C Trace Context, section 3.2: the version ff and ids of zeros alone are invalid.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_EITHER_SLASH = ("/api/", "/health/", "/metrics")

logger = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]


class CorrelationMiddleware:
    """Opens the request's trace, answers its id as Correlation-ID and logs one line when the request is finished."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer under a trace."""
        method = str(request.method)
        attributes = {"http.request.method": method, "url.path": request.path}
        with tracing(_trace(request)) as trace, span(method, Kind.SERVER, attributes) as work:
            response = self._logged(request)
            route = f"/{request.resolver_match.route}" if request.resolver_match else ""
            work.tell({"http.response.status_code": response.status_code}, name=f"{method} {route}".strip())
        response.headers["Correlation-ID"] = trace.correlation_id
        return response

    def _logged(self, request: HttpRequest) -> HttpResponse:
        # The path as it was asked for: the next middleware may change it.
        method, path, started = request.method, request.path, perf_counter()
        response = self.get_response(request)
        milliseconds = round((perf_counter() - started) * 1000, 1)
        logger.info("request_finished", method=method, path=path, status=response.status_code, duration_ms=milliseconds)
        return response


class EitherSlashMiddleware:
    """Answers every route of the API with and without its trailing slash, without a redirect that would lose a body."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, under the other form of the path when only that one is a route."""
        if request.path_info.startswith(_EITHER_SLASH) and _only_the_other_form_resolves(request.path_info):
            request.path_info, request.path = _toggled(request.path_info), _toggled(request.path)
        return self.get_response(request)


class ReadableMiddleware:
    """Refuses what nothing behind it could read: a body without its length, and NUL in an address or a query.

    It leaves no body unread that is small enough to be taken.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or say what to send instead."""
        response = self._answer(request)
        _read_to_the_end(request)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get("Transfer-Encoding") and not request.headers.get("Content-Length"):
            return _refusal(411, "length_required", "Send the body with its Content-Length, not in chunks.")
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return _refusal(400, "malformed", "An address takes no NUL.")
        return self.get_response(request)


def _read_to_the_end(request: HttpRequest) -> None:
    # A refusal often comes before the body is read. Were it answered so, gunicorn would read the rest of the body
    # only then, swallow the client's next request with it, and close the connection without an answer.
    with suppress(UnreadablePostError):
        request.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def _refusal(status: int, code: str, detail: str) -> HttpResponse:
    refusal: HttpResponse = Problem(status, code=code, detail=detail).render()
    return refusal


def _trace(request: HttpRequest) -> Trace:
    correlation_id = request.headers.get("Correlation-ID", "")
    traceparent = request.headers.get("traceparent", "")
    return Trace(
        correlation_id=correlation_id if _CORRELATION_ID.fullmatch(correlation_id) else str(uuid4()),
        traceparent=traceparent if _TRACEPARENT.fullmatch(traceparent) else None,
    )


def _only_the_other_form_resolves(path: str) -> bool:
    return not is_valid_path(path) and bool(is_valid_path(_toggled(path)))


def _toggled(path: str) -> str:
    return path.removesuffix("/") if path.endswith("/") else f"{path}/"

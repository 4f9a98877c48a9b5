"""How every refusal becomes HTTP: the one place that knows which status belongs to what."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions

from tickets_project.api.problems import Problem
from tickets_project.gateway.errors import PermanentUpstreamError, UpstreamError
from tickets_project.refusals import DomainError, InvalidInput, NotFound

# Seconds after which what did not answer is worth another try.
_PAUSE = "5"

_log = structlog.get_logger(__name__)


def problem_response(exc: Exception, _context: Mapping[str, Any]) -> Problem | None:
    """Return the answer to an anticipated refusal, or None for anything else (DRF's EXCEPTION_HANDLER)."""
    match exc:
        case DomainError():
            return Problem(_status(exc), code=exc.code, detail=exc.detail, members=exc.extensions)
        case exceptions.APIException():
            return _api_problem(exc)
        case Http404() | PermissionDenied():
            return _api_problem(exceptions.NotFound() if isinstance(exc, Http404) else exceptions.PermissionDenied())
        case UpstreamError() | OperationalError() | InterfaceError():
            return _outage(exc)
        case RequestDataTooBig():
            return Problem(413, code="body_too_large", detail="The body is larger than this server takes.")
    return None


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself could not read."""
    if _is_api(request):
        return Problem(400, code="malformed", detail="The request is malformed.")
    return defaults.bad_request(request, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what somebody may not do."""
    if _is_api(request):
        return _api_problem(exceptions.PermissionDenied())
    return defaults.permission_denied(request, exception)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that is no route."""
    if _is_api(request):
        return Problem(404, code="not_found", detail="There is no such route.")
    return defaults.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer what nobody anticipated, and tell nothing of it."""
    if _is_api(request):
        return Problem(500, code="server_error", detail="Something went wrong on our side; it has been logged.")
    return defaults.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _status(refusal: DomainError) -> int:
    match refusal:
        case NotFound():
            return 404
        case InvalidInput():
            return 400
    return 409


def _outage(error: Exception) -> Problem:
    # The caller can do nothing about it, so the log has what the answer does not tell.
    _log.warning("outage", error=repr(error))
    if isinstance(error, PermanentUpstreamError):
        return Problem(502, code="upstream_refused", detail="A service that this one needs refused the request.")
    what, code = ("A service that this one needs", "upstream_unavailable")
    if not isinstance(error, UpstreamError):
        what, code = ("The database", "database_unavailable")
    detail = f"{what} does not answer; ask again in a moment."
    return Problem(503, code=code, detail=detail, headers={"Retry-After": _PAUSE})


def _api_problem(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        return Problem(400, code="invalid", detail="The request is not acceptable.", members=_by_field(error))
    # DRF turns the 401 of a view without authentication into 403 on the instance; the class still says 401.
    status = type(error).status_code
    return Problem(status, code=_code(error), detail=str(error.detail), headers=_headers(error))


def _by_field(error: exceptions.ValidationError) -> dict[str, Any]:
    return {"errors": error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}}


def _code(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.ParseError):
        return "malformed"
    return getattr(error.detail, "code", None) or error.default_code


def _headers(error: exceptions.APIException) -> dict[str, str]:
    if isinstance(error, (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)):
        return {"WWW-Authenticate": getattr(error, "auth_header", "Bearer")}
    if not hasattr(error, "wait"):
        return {}
    # Throttled does not know the wait when its rate was lowered in the meantime.
    return {"Retry-After": str(max(1, error.wait or 1))}

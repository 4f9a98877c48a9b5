"""What a repeated request does: the same key and body within a day get the stored answer, and nothing happens twice."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeVar

from django.db import connection, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tickets_project.api.models import IdempotencyKey

KEPT_FOR = timedelta(hours=24)
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")
_BATCH = 1000
# What replaces an answer that is past its day.
_ANSWER = ("fingerprint", "status", "body", "location", "created_at")


class InvalidIdempotencyKey(APIException):
    """The header is empty, too long, or not printable ASCII."""

    status_code = 400
    default_code = "invalid_idempotency_key"
    default_detail = "Idempotency-Key takes 1 to 255 printable ASCII characters."


class IdempotencyKeyRequired(APIException):
    """The view does not act without a key."""

    status_code = 400
    default_code = "idempotency_key_required"
    default_detail = "This request needs the header Idempotency-Key."


class RequestInProgress(APIException):
    """Another request with this key has not been answered yet."""

    status_code = 409
    default_code = "request_in_progress"
    default_detail = "A request with this Idempotency-Key is still running; ask again."
    wait = 1


class IdempotencyKeyReused(APIException):
    """The key came with another request before."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used for another request."


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeyedRequest:
    caller: str
    key: str
    fingerprint: str


V = TypeVar("V", bound=APIView)
P = ParamSpec("P")
Method = Callable[Concatenate[V, Request, P], Response]


def idempotent(method: Method[V, P]) -> Method[V, P]:
    """Answer a repeated POST from what was stored; without the header the method runs as if it were not decorated.

    With a key the method runs in one transaction with the storing of its answer. What it raises undoes everything;
    an answer of 400 and above is committed but not stored, so the request may be tried again with its key.
    A view with `idempotency_key_required = True` refuses a request without the header.
    """

    @extend_schema(parameters=[_HEADER])
    @wraps(method)
    def answer(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        keyed = _keyed(request, required=getattr(view, "idempotency_key_required", False))
        if keyed is None:
            return method(view, request, *args, **kwargs)
        with transaction.atomic():
            _lock(keyed)
            return _replayed(keyed) or _stored(keyed, method(view, request, *args, **kwargs))

    return answer


_HEADER = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key and body within 24 hours get the stored answer, and nothing happens twice.",
)


def forget_expired(now: datetime) -> int:
    """Delete the answers that are past their day, in batches, and return how many they were."""
    expired = IdempotencyKey.objects.filter(created_at__lte=now - KEPT_FOR).order_by("created_at")
    count = 0
    while batch := list(expired.values_list("pk", flat=True)[:_BATCH]):
        # Asked for again with the age: a key that was used anew in the meantime is not expired.
        count += IdempotencyKey.objects.filter(pk__in=batch, created_at__lte=now - KEPT_FOR).delete()[0]
    return count


def forget_expired_now() -> None:
    """Do so at this moment: the hourly schedule."""
    forget_expired(timezone.now())


def _keyed(request: Request, *, required: bool) -> _KeyedRequest | None:
    key = request.headers.get("Idempotency-Key")
    if key is None and required:
        raise IdempotencyKeyRequired
    if key is None:
        return None
    if not _PRINTABLE.fullmatch(key):
        raise InvalidIdempotencyKey
    return _KeyedRequest(caller=str(request.user.pk or "anonymous"), key=key, fingerprint=_fingerprint(request))


def _fingerprint(request: Request) -> str:
    asked = json.dumps([request.method, request.path, request.data], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def _lock(keyed: _KeyedRequest) -> None:
    """Hold the caller's key until the transaction ends.

    :raises RequestInProgress: if another transaction holds it
    """
    digest = hashlib.sha256(f"idempotency {keyed.caller} {keyed.key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], signed=True)])
        (obtained,) = cursor.fetchone()
    if not obtained:
        raise RequestInProgress


def _replayed(keyed: _KeyedRequest) -> Response | None:
    """Return the stored answer, if there is one.

    :raises IdempotencyKeyReused: if it answered another request
    """
    since = timezone.now() - KEPT_FOR
    row = IdempotencyKey.objects.filter(caller=keyed.caller, key=keyed.key, created_at__gt=since).first()
    if row is None:
        return None
    if row.fingerprint != keyed.fingerprint:
        raise IdempotencyKeyReused
    headers = {"Idempotent-Replayed": "true"} | ({"Location": row.location} if row.location else {})
    return Response(json.loads(row.body) if row.body else None, status=row.status, headers=headers)


def _stored(keyed: _KeyedRequest, response: Response) -> Response:
    if response.status_code < HTTPStatus.BAD_REQUEST:
        row = IdempotencyKey(
            caller=keyed.caller,
            key=keyed.key,
            fingerprint=keyed.fingerprint,
            status=response.status_code,
            body=JSONRenderer().render(response.data).decode(),
            location=response.headers.get("Location", ""),
            created_at=timezone.now(),
        )
        # One statement: what the request has locked stays locked until it is answered.
        IdempotencyKey.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["caller", "key"], update_fields=_ANSWER
        )
    return response

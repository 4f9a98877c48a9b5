"""The call log: which calls arrived, in their order."""

from collections import deque
from datetime import UTC, datetime
from typing import Any

from msgspec import DecodeError, Struct, json

from tickets_project.gateway.simulator.wire import Request

# The services do not agree on the name.
_KEY_FIELDS = ("idempotency_key", "idempotent_id", "deduplication_id")
_MOST_CALLS = 100_000


class Call(Struct):
    """One call of an operation; no status: still unanswered, or its connection was dropped."""

    operation: str
    method: str
    path: str
    correlation_id: str | None
    traceparent: str | None
    idempotency_key: str | None
    at: datetime
    status: int | None = None


class Calls:
    """The latest hundred thousand calls."""

    def __init__(self) -> None:
        self.log: deque[Call] = deque(maxlen=_MOST_CALLS)

    def record(self, operation: str, request: Request) -> Call:
        """Note that a call has arrived."""
        call = Call(
            operation=operation,
            method=request.method,
            path=request.path,
            correlation_id=request.headers.get("correlation-id"),
            traceparent=request.headers.get("traceparent"),
            idempotency_key=_idempotency_key(request),
            at=datetime.now(UTC),
        )
        self.log.append(call)
        return call

    def of(self, operation: str | None) -> list[Call]:
        """Return the calls of one operation, or all of them."""
        return [call for call in self.log if operation in {None, call.operation}]


def _idempotency_key(request: Request) -> str | None:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        fields = json.decode(request.body, type=dict[str, Any])
    except (DecodeError, UnicodeDecodeError):
        return None
    return next((str(fields[name]) for name in _KEY_FIELDS if name in fields), None)

"""Which request, and which message, the work in hand follows from.

The web middleware and the dispatcher open a trace; publishing, the gateway and every log line read it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

from structlog.contextvars import bound_contextvars


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The ids that travel with a piece of work; `traceparent` is W3C Trace Context, passed on unread."""

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None


_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace:
    """Return the open trace, or a new one with a correlation id of its own."""
    return _trace.get() or Trace(correlation_id=str(uuid4()))


@contextmanager
def tracing(trace: Trace, **names: str) -> Iterator[Trace]:
    """Do the enclosed work under this trace; its log lines carry the trace's ids and these names."""
    token = _trace.set(trace)
    try:
        with bound_contextvars(**{**names, **ids_of(trace)}):
            yield trace
    finally:
        _trace.reset(token)


def ids_of(trace: Trace) -> dict[str, str]:
    """Return what finds the other lines of this trace, here and at the services that are called."""
    ids = {"correlation_id": trace.correlation_id}
    return ids | {"trace_id": trace.traceparent.split("-")[1]} if trace.traceparent else ids

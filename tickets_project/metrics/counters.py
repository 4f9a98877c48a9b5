"""What processes count. Counting never fails and never waits: it writes a few numbers into the process's own files."""

import os
from collections.abc import Callable
from functools import cache, lru_cache, wraps
from typing import NamedTuple, ParamSpec

import structlog
from prometheus_client import Counter, Histogram, values

from tickets_project.metrics.places import Place

P = ParamSpec("P")

log = structlog.get_logger(__name__)

# Chosen before the first counter is made, as prometheus_client asks.
_place = Place()
values.ValueClass = values.MultiProcessValue(_place.number)  # type: ignore[no-untyped-call] # the library has no types here
_place.leave()
os.register_at_fork(after_in_child=_place.leave)

_MILLISECONDS_TO_A_TIMEOUT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_processed = Counter("messages_processed", "Deliveries made.", ["topic", "handler"], registry=None)
_failed = Counter("messages_processing_failed", "Attempts that failed.", ["topic", "handler"], registry=None)
_duration = Histogram(
    "messages_processing_duration_seconds",
    "How long the handler of a delivery took, its calls to other services included.",
    ["topic", "handler"],
    buckets=_MILLISECONDS_TO_A_TIMEOUT,
    registry=None,
)
_calls = Counter("upstream_calls", "Calls to other services.", ["operation", "method", "status"], registry=None)
_call_duration = Histogram(
    "upstream_call_duration_seconds",
    "How long calls to other services took, those without an answer included.",
    ["operation", "method"],
    buckets=_MILLISECONDS_TO_A_TIMEOUT,
    registry=None,
)
_requests = Counter("http_requests", "Requests answered.", ["method", "route", "status"], registry=None)


def _never_failing(count: Callable[P, None]) -> Callable[P, None]:
    """Let work go on that cannot be counted, because the disk is full or not ours."""

    @wraps(count)
    def counted(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            count(*arguments, **named)
        except (OSError, ValueError, RuntimeError) as error:
            _complain(str(error))

    return counted


@_never_failing
def count_delivered(topic: str, handler: str, *, seconds: float) -> None:
    """Count a delivery that is committed; `topic` is the stored name of its message."""
    series = _series_of_deliveries(topic, handler)
    series.processed.inc()
    series.duration.observe(seconds)


@_never_failing
def count_failed(topic: str, handler: str) -> None:
    """Count an attempt whose failure is recorded."""
    _series_of_deliveries(topic, handler).failed.inc()


@_never_failing
def count_call(operation: str, method: str, status: int | None, *, seconds: float) -> None:
    """Count a call to another service; None stands for an answer that never came.

    :param operation: the service and the path, without what names one thing in it
    """
    _calls.labels(operation, method, status or "none").inc()
    _call_duration.labels(operation, method).observe(seconds)


@_never_failing
def count_request(method: str, route: str, status: int) -> None:
    """Count a request that was answered; `route` is the pattern of its address."""
    _requests.labels(method, route, status).inc()


class _Series(NamedTuple):
    """What is counted of one subscription. All begin at 0 together, so that a rate has something to compare with."""

    processed: Counter
    failed: Counter
    duration: Histogram


@cache
def _series_of_deliveries(topic: str, handler: str) -> _Series:
    """Return the series, which are as many as subscriptions: looking them up costs more than counting."""
    return _Series(_processed.labels(topic, handler), _failed.labels(topic, handler), _duration.labels(topic, handler))


@lru_cache(maxsize=100)
def _complain(error: str) -> None:
    """Log it once, not with each delivery."""
    log.error("not counted", error=error)

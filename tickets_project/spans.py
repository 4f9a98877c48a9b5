"""Spans: timed pieces of work in a distributed trace. Nothing is recorded until a recorder is put in.

The trace in hand goes through each span, so what is published or called within follows from it.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from enum import Enum, auto
from typing import Protocol

from tickets_project.correlation import current_trace, tracing

Attributes = Mapping[str, str | int]


class Kind(Enum):
    """Which side of a call, or of a message, does the work."""

    SERVER = auto()
    CLIENT = auto()
    PRODUCER = auto()
    CONSUMER = auto()


class Span(Protocol):
    """The work while it is done."""

    def tell(self, attributes: Attributes, *, name: str = "") -> None:
        """Add what is known by now, and the name that fits better."""


class Recorder(Protocol):
    """What keeps spans, and sends them to where they are looked at."""

    def begin(
        self, name: str, kind: Kind, attributes: Attributes, *, parent: str | None
    ) -> AbstractContextManager[tuple[Span, str | None]]:
        """Record the enclosed work; the parent and the second value are W3C traceparents."""

    def flush(self) -> None:
        """Send what is kept."""


class _NoSpan:
    def tell(self, attributes: Attributes, *, name: str = "") -> None:
        """Forget it."""


_OFF: AbstractContextManager[Span] = nullcontext(_NoSpan())
_recorder: Recorder | None = None


def record_spans(recorder: Recorder | None) -> None:
    """Put in what records the spans of this process, or nothing."""
    global _recorder  # noqa: PLW0603 - one for the process
    _recorder = recorder


def are_recorded() -> bool:
    """Tell whether a span would be kept."""
    return _recorder is not None


def span(name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[Span]:
    """Do the enclosed work as one span of the trace in hand; an exception marks it as failed.

    :param attributes: named as OpenTelemetry's semantic conventions have them
    """
    return _recorded(_recorder, name, kind, attributes) if _recorder else _OFF


def flush_spans() -> None:
    """Send what is recorded, before the process ends."""
    if _recorder:
        _recorder.flush()


@contextmanager
def _recorded(recorder: Recorder, name: str, kind: Kind, attributes: Attributes) -> Iterator[Span]:
    trace = current_trace()
    with (
        recorder.begin(name, kind, attributes, parent=trace.traceparent) as (begun, traceparent),
        tracing(replace(trace, traceparent=traceparent)),
    ):
        yield begun

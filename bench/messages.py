"""The events that the benchmarks publish."""

from dataclasses import dataclass
from typing import ClassVar

from tickets_project.outbox.messages import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedV1(Event):
    """One more event for the handler that writes a row."""

    NAME: ClassVar[str] = "Counted_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("count", "number")

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedV1(Event):
    """An event that three handlers hear."""

    NAME: ClassVar[str] = "Watched_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("count", "number")

    number: int

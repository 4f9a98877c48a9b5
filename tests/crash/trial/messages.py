"""The messages of the trials."""

from dataclasses import dataclass
from typing import ClassVar

from tickets_project.outbox.messages import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedV1(Event):
    """Two handlers write one row each."""

    NAME: ClassVar[str] = "Noted_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidV1(Event):
    """A handler calls the payments service, which has its own list of what was paid, and writes one row."""

    NAME: ClassVar[str] = "Paid_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FatalV1(Event):
    """Its handler kills the process that runs it."""

    NAME: ClassVar[str] = "Fatal_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BystoodV1(Event):
    """Its handler writes one row, and has no more attempts than the one that kills."""

    NAME: ClassVar[str] = "Bystood_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedV1(Event):
    """Its handler fails each time."""

    NAME: ClassVar[str] = "Failed_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SleptV1(Event):
    """Its handler sleeps for so many seconds, with no transaction open."""

    NAME: ClassVar[str] = "Slept_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HurriedV1(Event):
    """Its handler sleeps for so many seconds, with no transaction open, although it is urgent."""

    NAME: ClassVar[str] = "Hurried_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DozedV1(Event):
    """Its handler sleeps for so many seconds in its transaction."""

    NAME: ClassVar[str] = "Dozed_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int
    seconds: float

"""Messages and handlers that only the outbox's tests know."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from tickets_project.outbox.messages import Command, Event
from tickets_project.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    """Something happened to a thing."""

    NAME: ClassVar[str] = "Happened_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("thing", "thing_id")

    thing_id: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoIt(Command):
    """Something is to be done with a thing."""

    NAME: ClassVar[str] = "DoIt"
    AGGREGATE: ClassVar[tuple[str, str]] = ("thing", "thing_id")

    thing_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything(Event):
    """One field of each type that messages use."""

    NAME: ClassVar[str] = "Everything_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("thing", "thing_id")

    thing_id: str
    at: datetime
    price: Money
    amount: Decimal
    names: tuple[str, ...]
    wanted: bool
    user_id: int | None
    reason: str | None = None

"""Messages that only the tests of analytics know."""

from dataclasses import dataclass
from typing import ClassVar

from tickets_project.outbox.messages import Event
from tickets_project.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold(Event):
    """Something was sold."""

    NAME: ClassVar[str] = "Sold_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("sale", "sale_id")

    sale_id: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed(Event):
    """It was used."""

    NAME: ClassVar[str] = "Redeemed_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("sale", "sale_id")

    sale_id: str

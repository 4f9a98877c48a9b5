"""Values that every app speaks: money."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount with two decimals and its ISO 4217 currency; in JSON both are strings."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:.2f} {self.currency}"

    def times(self, count: int) -> "Money":
        """Return the price of `count` such things."""
        return Money(amount=self.amount * count, currency=self.currency)

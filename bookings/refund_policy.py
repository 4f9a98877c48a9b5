"""How much of the price comes back when a customer cancels: pure arithmetic."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

_STEPS = [(timedelta(hours=24), 100), (timedelta(hours=6), 50)]
_CENT = Decimal("0.01")


def percentage(*, start: datetime, at: datetime, as_staff: bool) -> int:
    """Return how many hundredths come back: all until 24 hours before the start, half until 6; by staff all."""
    if as_staff:
        return 100
    return next((share for notice, share in _STEPS if start - at >= notice), 0)


def share_of(amount: Decimal, percent: int) -> Decimal:
    """Return that share of an amount, to the cent."""
    return (amount * percent / 100).quantize(_CENT, ROUND_HALF_UP)

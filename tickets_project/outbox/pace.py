"""Pace: when each of many deliveries falls due, so that no second has more of them than was asked for."""

from datetime import datetime, timedelta
from time import monotonic

# Rows are opened this long before they fall due. A transaction that takes its time makes them no crowd then.
AHEAD = timedelta(seconds=1)


class Pace:
    """Deals out moments that are one `rate`-th of a second apart, by the clock of the database."""

    def __init__(self, rate: int, *, now: datetime) -> None:
        """Take the number a second, and the database's time at this moment."""
        self._gap = timedelta(seconds=1) / rate
        self._began_at, self._began = now, monotonic()
        self._next = now

    def next_due(self) -> datetime:
        """Return the next moment; who is late loses the time, and catches nothing up."""
        due = max(self._next, self._now() + AHEAD)
        self._next = due + self._gap
        return due

    def is_ahead(self) -> bool:
        """Tell whether enough is opened for now."""
        return self._next > self._now() + AHEAD

    def _now(self) -> datetime:
        return self._began_at + timedelta(seconds=monotonic() - self._began)

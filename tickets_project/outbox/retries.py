"""When a delivery is tried again: a pure decision from the number of attempts, or from how long it has waited."""

import random
from dataclasses import dataclass
from datetime import timedelta

_SHORTEST_WAIT = timedelta(seconds=0.2)
_LONGEST_WAIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Delays in seconds after the first, second, … failure; after the last the delivery is parked.

    The defaults add up to one hour and forty minutes.
    """

    delays: tuple[float, ...] = (0.2, 1, 3, 10, 30, 60, 120, 300, 600, 1800, 3000)
    jitter: float = 0.2

    @property
    def most_attempts(self) -> int:
        """Return how often a handler is tried in all."""
        return len(self.delays) + 1

    def delay_after(self, attempts: int) -> timedelta | None:
        """Return how long to wait after that many failures, or None when it is time to park."""
        if attempts > len(self.delays):
            return None
        spread = random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - jitter is no secret
        return timedelta(seconds=self.delays[attempts - 1] * spread)


def wait_after(waited: timedelta) -> timedelta:
    """Return when to ask again a handler that has said NotYet for this long: a quarter of it, 0.2 to 5 s."""
    return min(max(waited / 4, _SHORTEST_WAIT), _LONGEST_WAIT)

"""How long a delivery takes: its calls to other services, and its work in the database."""

from collections.abc import Callable
from time import perf_counter


class Timed:
    """Work that knows how long its latest run took, together with what was done before it."""

    def __init__(self, work: Callable[[], None], *, since: float | None = None) -> None:
        """Take the work.

        :param since: when what was done before it began, by perf_counter()
        """
        self._work = work
        self._before = 0.0 if since is None else perf_counter() - since
        self.seconds = self._before

    def __call__(self) -> None:
        """Do the work."""
        started = perf_counter()
        try:
            self._work()
        finally:
            self.seconds = self._before + perf_counter() - started


def seconds_of(work: Callable[[], None]) -> float:
    """Return how long it took; nothing for work that does not know."""
    return work.seconds if isinstance(work, Timed) else 0.0

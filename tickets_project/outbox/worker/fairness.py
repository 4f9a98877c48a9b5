"""For which handlers a dispatcher claims next, so that none is kept waiting by another."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from tickets_project.outbox.subscriptions import Subscriptions

# A transactional handler that has taken longer is run beside the others from then on, not before them.
SLOW_SECONDS = 0.2
# How many transactional deliveries have their turn at once; fewer while threads are busy with what is urgent.
BATCH = 100
SHORT_BATCH = 50
# While threads are busy with what is urgent, the others then wait so many times as long as their turn took, at most.
OTHERS_WAIT = 9
OTHERS_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The transactional handlers whose turn it is, for so many deliveries.

    When some are left out, `others_in` tells in how many seconds it is theirs; it is infinite when none is.
    """

    handlers: list[str]
    limit: int
    others_in: float = float("inf")


class Fairness:
    """What one dispatcher knows of its handlers.

    Transactional handlers are run by the dispatcher's own thread, one after the other; external and slow ones by its
    crew, side by side.
    """

    def __init__(self, table: Subscriptions) -> None:
        self.all = [subscription.key for subscription in table]
        self.urgent = frozenset(subscription.key for subscription in table if subscription.urgent)
        self._transactional = frozenset(table.keys(external=False))
        self._slow: set[str] = set()
        # In this turn, since a delivery that fails costs many times what others cost.
        self._seconds_failing: defaultdict[str, float] = defaultdict(float)
        self._others_wait_until = float("-inf")

    def is_transactional(self, handler: str) -> bool:
        """Tell whether the handler commits what it does itself."""
        return handler in self._transactional

    def is_slow(self, handler: str) -> bool:
        """Tell whether a transactional handler is to be run by the crew."""
        return handler in self._slow

    def notice(self, handler: str, *, seconds: float) -> None:
        """Take note of how long a delivery has taken."""
        if seconds > SLOW_SECONDS:
            self._slow.add(handler)
        elif handler not in self._transactional:
            self._slow.discard(handler)

    def notice_failure(self, handler: str, *, seconds: float) -> None:
        """Take note of how long a delivery has taken in vain."""
        self._seconds_failing[handler] += seconds
        if self._seconds_failing[handler] > SLOW_SECONDS:
            self._slow.add(handler)

    def for_crew(self, *, busy: Counter[str], free: int) -> list[str]:
        """Return whose deliveries the free threads may take.

        A handler may have three times what it leaves free, and the last thread is for one that has none: so one that
        hangs gets about three quarters of the threads, and never the next one's.
        """
        beside = [key for key in self.all if key not in self._transactional or key in self._slow]
        return [key for key in beside if free and busy[key] < max(1, 3 * (free - 1))]

    def for_own_thread(self, *, busy: Counter[str], now: float) -> Turn:
        """Return which transactional handlers have their turn: the more of them, the longer the crew's work waits.

        :param now: seconds on any clock that only goes on
        """
        self._seconds_failing.clear()
        prompt = self._transactional - self._slow
        # What sleeps needs nobody to make room for it.
        makes_room = bool(busy.keys() & self.urgent - self._slow)
        if makes_room and now < self._others_wait_until:
            return Turn(handlers=list(prompt & self.urgent), limit=BATCH, others_in=self._others_wait_until - now)
        return Turn(handlers=list(prompt), limit=SHORT_BATCH if makes_room else BATCH)

    def notice_turn(self, turn: Turn, *, began: float, ended: float) -> None:
        """Take note of how long a turn of the dispatcher's own thread has lasted, by the clock that began it."""
        if turn.others_in == float("inf"):
            self._others_wait_until = ended + min(OTHERS_WAIT * (ended - began), OTHERS_WAIT_SECONDS)

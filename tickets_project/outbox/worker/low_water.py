"""Where claims begin to read the queue.

While any transaction's snapshot is older than a delivery, its entry stays in the queue's index, and a claim that begins
at the oldest would read past all that was delivered since.
"""

from datetime import timedelta
from time import monotonic

from tickets_project.outbox import claiming

LONGEST_PUBLISHING = timedelta(seconds=5)
"""A transaction that commits later than this after its publish() is found by the next look."""
# Looks take a twentieth of the time at most, until that would be too seldom.
PAUSE_BY_LOOK = 20
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0


class LowWater:
    """From when on there is something to claim, by handler, as claims read it.

    Whatever becomes pending falls due at that moment or later. So what a look has not seen falls due later than the
    look, unless its transaction was open then.
    """

    def __init__(self, handlers: list[str]) -> None:
        self.since = "{}"
        self._handlers = handlers
        self._next_look = float("-inf")

    def look(self) -> bool:
        """Look for what is pending, unless that was done just now; False when nothing is due."""
        began = monotonic()
        if began < self._next_look:
            return True
        found = claiming.look(handlers=self._handlers, margin=LONGEST_PUBLISHING)
        self.since = found.since
        ended = monotonic()
        self._next_look = ended + min(max(PAUSE_BY_LOOK * (ended - began), PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        return found.is_due

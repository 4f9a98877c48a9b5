"""What was published while no worker ran is handled oldest first, and takes no more memory the more there is of it."""

import logging
import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate
from subprocess import Popen
from time import monotonic
from typing import IO

import psutil
import pytest

from tests.crash.trial.effects import effects, effects_so_far, order_of_effects
from tests.crash.trial.messages import NotedV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tests.processes import eventually, worker
from tickets_project.outbox.worker.fairness import BATCH

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(3600)]

BACKLOG = int(os.environ.get("BACKLOG", "3000"))
"""How many events; 100,000 take some minutes."""

AT_ONCE = 500
HANDLERS = ("trial.note", "trial.note_too")

# Two dispatchers claim the oldest that nobody has, a batch at a time. Who is late with a batch is overtaken by the
# batches that the other claims meanwhile, and by no more of them than this, unless the machine stands still.
MOST_OVERTAKEN = 10 * BATCH
MOST_GROWTH = 5

log_ = logging.getLogger(__name__)


def publish_backlog() -> None:
    for begin in range(0, BACKLOG, AT_ONCE):
        publish_at_once(*(NotedV1(number=number) for number in range(begin, min(begin + AT_ONCE, BACKLOG))))


def overtaken(order: Sequence[int]) -> list[int]:
    """Return for each event, in the order of handling, by how many places a younger one came before it."""
    youngest = list(accumulate(order, max))
    return [max(0, place - bisect_right(youngest, number)) for place, number in enumerate(order)]


class TestOvertaken:
    def test_counts_the_places_from_the_first_younger_one(self) -> None:
        assert overtaken([0, 1, 2, 3]) == [0, 0, 0, 0]
        assert overtaken([1, 3, 0, 4, 2]) == [0, 0, 2, 0, 3]
        assert overtaken([3, 2, 1, 0]) == [0, 1, 2, 3]


class Drain:
    """How a backlog drains: when how much of it was handled, and what memory each process of the worker used then."""

    def __init__(self, supervisor: "Popen[str]") -> None:
        self._supervisor = psutil.Process(supervisor.pid)
        self._begun = monotonic()
        self._resident: dict[int, list[tuple[float, float]]] = defaultdict(list)
        self.looks: list[tuple[float, float, float]] = []

    def look(self) -> bool:
        """Note how it stands; tell whether it is over."""
        handled = effects_so_far() / (BACKLOG * len(HANDLERS))
        used = {process.pid: _megabytes(process) for process in self._processes()}
        for pid, megabytes in used.items():
            self._resident[pid].append((handled, megabytes))
        self.looks.append((monotonic() - self._begun, handled, sum(used.values())))
        return all_delivered()

    def growth(self) -> dict[int, float]:
        """Return by how many megabytes each process grew above what it used at most in the first tenth."""
        return {pid: _growth(looks) for pid, looks in self._resident.items()}

    def curve(self) -> str:
        """Return ten of the looks, and the last."""
        some = [*self.looks[:: max(1, len(self.looks) // 10)], self.looks[-1]]
        return ", ".join(f"{seconds:.1f} s: {handled:.0%}, {used:.0f} MB" for seconds, handled, used in some)

    def _processes(self) -> list[psutil.Process]:
        return [self._supervisor, *self._supervisor.children(recursive=True)]


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / (1 << 20)


def _growth(looks: list[tuple[float, float]]) -> float:
    at_first = [used for handled, used in looks if handled <= 0.1] or [looks[0][1]]
    return max(used for _, used in looks) - max(at_first)


class TestBacklog:
    def test_drains_in_order_of_age_with_flat_memory(self, trial: str, log: IO[str]) -> None:
        publish_backlog()
        with worker(output=log, DJANGO_SETTINGS_MODULE=trial) as supervisor:
            drain = Drain(supervisor)
            eventually(drain.look, seconds=60 + BACKLOG / 50)
        places = {handler: overtaken(order_of_effects(handler)) for handler in HANDLERS}
        log_.info("%.0f events a second; %s", BACKLOG / drain.looks[-1][0], drain.curve())
        log_.info("grown by %s MB", [round(grown, 1) for grown in drain.growth().values()])
        for handler, by in places.items():
            log_.info("%s: %d of %d overtaken, by %d at most", handler, len(by) - by.count(0), len(by), max(by))
            assert effects(handler) == dict.fromkeys(range(BACKLOG), 1)
            assert max(by) <= MOST_OVERTAKEN
        assert max(drain.growth().values()) <= MOST_GROWTH

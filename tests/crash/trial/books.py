"""The books of a trial: what it has published, and what must have become of each of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import count
from typing import Any

from tests.crash.trial.effects import effects
from tests.crash.trial.messages import DozedV1, NotedV1, PaidV1, SleptV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tickets_project.gateway import payments

Entry = NotedV1 | PaidV1 | SleptV1 | DozedV1

_HANDLERS: dict[type[Entry], tuple[str, ...]] = {
    NotedV1: ("trial.note", "trial.note_too"),
    PaidV1: ("trial.pay",),
    SleptV1: ("trial.sleep",),
    DozedV1: ("trial.doze",),
}


class Books:
    """Publishes under numbers of its own, and knows them all."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._published: dict[type[Entry], list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(map(len, self._published.values()))

    def publish(self, *, noted: int = 0, paid: int = 0, slept: int = 0, dozed: int = 0, seconds: float = 0) -> None:
        """Publish so many of each in one transaction.

        :param seconds: how long those take that sleep
        """
        entries: list[Entry] = [
            *(NotedV1(number=next(self._numbers)) for _ in range(noted)),
            *(PaidV1(number=next(self._numbers)) for _ in range(paid)),
            *(SleptV1(number=next(self._numbers), seconds=seconds) for _ in range(slept)),
            *(DozedV1(number=next(self._numbers), seconds=seconds) for _ in range(dozed)),
        ]
        publish_at_once(*entries)
        for entry in entries:
            self._published[type(entry)].append(entry.number)

    def have_last(self, *kinds: type[Entry]) -> bool:
        """Tell whether the last of each of these kinds took effect."""
        return all(self._published[kind][-1] in effects(handler) for kind in kinds for handler in _HANDLERS[kind])

    def assert_balance(self) -> None:
        """Check that each took effect once, in the database and at the service, and that nothing else did."""
        assert all_delivered()
        wrong = {
            handler: _not_once(effects(handler), self._published[kind])
            for kind, handlers in _HANDLERS.items()
            for handler in handlers
        }
        keys = [f"trial:{number}" for number in self._published[PaidV1]]
        wrong["payments"] = _not_once(Counter(refund.deduplication_id for refund in payments.refunds()), keys)
        assert not any(wrong.values()), wrong


def _not_once(found: Counter[Any], expected: Iterable[Any]) -> dict[Any, int]:
    """Return how often it was found, of what should have been found once or never but was not."""
    once = dict.fromkeys(expected, 1)
    return {each: found[each] for each in {*found, *once} if found[each] != once.get(each, 0)}

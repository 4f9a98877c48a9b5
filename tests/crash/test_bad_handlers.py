"""Bad handlers: one that kills its worker, one that fails each time, some that sleep; none of them holds others up."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from statistics import median
from time import monotonic
from typing import IO

import pytest
from django.db.models import QuerySet

from tests.crash.trial.effects import effects, seconds_until_effect
from tests.crash.trial.messages import BystoodV1, DozedV1, FailedV1, FatalV1, HurriedV1, NotedV1, PaidV1, SleptV1
from tests.crash.trial.publishing import publish_at_once
from tests.processes import eventually, worker
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.messages import Message
from tickets_project.outbox.models import Delivery, Dispatcher, Status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]

PATIENCE = 90
ROUNDS = 2
BYSTANDERS = 30
NOTES, SINGLE = 500, 15
# Seconds within which a few milliseconds more or less are nobody's fault.
TRIFLE = 0.02

log_ = logging.getLogger(__name__)


@pytest.fixture(autouse=True)
def _gateway(simulator: Simulator) -> None:
    del simulator


@contextmanager
def trial_worker(trial: str, log: IO[str]) -> Iterator[None]:
    with worker(output=log, DJANGO_SETTINGS_MODULE=trial):
        eventually(lambda: Dispatcher.objects.count() == 2, seconds=30)
        yield


class TestFatalMessage:
    def test_is_parked_after_its_attempts_and_stops_nobody(self, trial: str, log: IO[str]) -> None:
        fatal = Delivery.objects.filter(handler="trial.kill")
        with trial_worker(trial, log):
            begun = monotonic()
            publish_at_once(FatalV1(number=0))
            for number in count():
                publish_at_once(NotedV1(number=number))
                eventually(lambda: number in effects("trial.note"), seconds=15)  # noqa: B023 - called at once
                if fatal.get().status == Status.PARKED:
                    break
            parked_after = monotonic() - begun
            eventually(lambda: not Delivery.objects.filter(status=Status.PENDING).exists(), seconds=PATIENCE)
        waits = seconds_until_effect("trial.note", "Noted_v1", range(number + 1))
        log_.info("parked after %.1f s; of %d others one waited %.2f s", parked_after, number, max(waits))
        assert "The worker died each time it ran this handler." in fatal.get().last_error
        assert effects("trial.note") == effects("trial.note_too") == dict.fromkeys(range(number + 1), 1)
        assert Delivery.objects.filter(status=Status.PARKED).count() == 1

    def test_takes_nobody_along(self, trial: str, log: IO[str]) -> None:
        """What is claimed together with it is not taken for the killer."""
        publish_at_once(FatalV1(number=0), *(BystoodV1(number=number) for number in range(BYSTANDERS)))
        with trial_worker(trial, log):
            eventually(lambda: not Delivery.objects.filter(status=Status.PENDING).exists(), seconds=PATIENCE)
        assert [parked.handler for parked in Delivery.objects.filter(status=Status.PARKED)] == ["trial.kill"]
        assert effects("trial.stand_by") == dict.fromkeys(range(BYSTANDERS), 1)


@dataclass(frozen=True, slots=True)
class Flood:
    """Many messages whose handler is a bad one."""

    handler: str
    message: Callable[[int], Message]
    size: int

    def rise(self) -> None:
        """Publish them; return when the handler has been seen to be bad, by every dispatcher most likely."""
        publish_at_once(*(self.message(number) for number in range(self.size)))
        eventually(lambda: self._tried() >= 10, seconds=PATIENCE)

    def is_high(self) -> bool:
        """Tell whether there are still some to be handled."""
        return self._pending().exists()

    def ebb(self) -> None:
        """Take back those that are not handled yet."""
        eventually(lambda: self._withdraw() == 0, seconds=PATIENCE)

    def _tried(self) -> int:
        waiting = self._pending().filter(claimed_by=None, attempts__gt=0).count()
        return waiting + Delivery.objects.filter(handler=self.handler, status=Status.DELIVERED).count()

    def _withdraw(self) -> int:
        self._pending().filter(claimed_by=None).update(status=Status.DISCARDED)
        return self._pending().count()

    def _pending(self) -> QuerySet[Delivery]:
        return Delivery.objects.filter(handler=self.handler, status=Status.PENDING)


FLOODS = {
    "fails": Flood("trial.fail", lambda number: FailedV1(number=number), 500),
    "sleeps": Flood("trial.sleep", lambda number: SleptV1(number=number, seconds=1), 1000),
    "sleeps urgently": Flood("trial.hurry", lambda number: HurriedV1(number=number, seconds=1), 1000),
    "sleeps in its transaction": Flood("trial.doze", lambda number: DozedV1(number=number, seconds=0.5), 2000),
}
# How much longer others may take beside it: to fail takes a processor's time, to sleep takes none.
MOST = {flood: 3 if flood == "fails" else 2 for flood in FLOODS}


class Others:
    """The good handlers, and how fast they are."""

    def __init__(self) -> None:
        self._numbers = count()

    def measured(self) -> dict[str, float]:
        """Return in seconds how long many notes take together, and how long single notes and payments take."""
        return {
            "all notes": self._all_notes(),
            "one note": self._one("trial.note", NotedV1),
            "one payment": self._one("trial.pay", PaidV1),
        }

    def _all_notes(self) -> float:
        numbers = [next(self._numbers) for _ in range(NOTES)]
        begun = monotonic()
        publish_at_once(*(NotedV1(number=number) for number in numbers))
        eventually(lambda: effects("trial.note").keys() >= set(numbers), seconds=PATIENCE)
        return monotonic() - begun

    def _one(self, handler: str, message: type[NotedV1] | type[PaidV1]) -> float:
        numbers = [next(self._numbers) for _ in range(SINGLE)]
        for number in numbers:
            publish_at_once(message(number=number))
            eventually(lambda: number in effects(handler), seconds=PATIENCE)  # noqa: B023 - called at once
        return median(seconds_until_effect(handler, message.NAME, range(numbers[0], numbers[-1] + 1)))


class TestHandlerThat:
    @pytest.mark.parametrize("flood", FLOODS)
    def test_slows_no_other(self, trial: str, log: IO[str], flood: str) -> None:
        """The best of some rounds is compared, since a machine may have much else to do for a while."""
        others, bad = Others(), FLOODS[flood]
        alone, beside = list[dict[str, float]](), list[dict[str, float]]()
        with trial_worker(trial, log):
            others.measured()
            for _ in range(ROUNDS):
                alone.append(others.measured())
                bad.rise()
                beside.append(others.measured())
                assert bad.is_high()
                bad.ebb()
        ratios = {what: _best(beside, what) / _best(alone, what) for what in alone[0]}
        log_.info("who %s: %s", flood, ratios)
        assert max(ratios.values()) <= MOST[flood], ratios


def _best(rounds: list[dict[str, float]], what: str) -> float:
    return TRIFLE + min(measured[what] for measured in rounds)

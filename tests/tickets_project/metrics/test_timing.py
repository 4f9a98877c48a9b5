"""The stopwatch of a delivery."""

from time import perf_counter, sleep

import pytest

from tickets_project.metrics.timing import Timed, seconds_of


class TestTimed:
    def test_knows_how_long_its_work_took(self) -> None:
        work = Timed(lambda: sleep(0.02))
        started = perf_counter()
        work()
        assert 0.02 <= work.seconds <= perf_counter() - started

    def test_adds_what_was_done_before(self) -> None:
        work = Timed(lambda: sleep(0.02), since=perf_counter() - 5)
        before = work.seconds
        assert before >= 5
        started = perf_counter()
        work()
        assert before + 0.02 <= work.seconds <= before + perf_counter() - started

    def test_forgets_an_earlier_run(self) -> None:
        work = Timed(lambda: sleep(0.02))
        work()
        started = perf_counter()
        work()
        assert work.seconds <= perf_counter() - started

    def test_lets_its_work_fail(self) -> None:
        with pytest.raises(ZeroDivisionError):
            Timed(lambda: 1 / 0)()  # type: ignore[arg-type]


class TestSecondsOf:
    def test_is_nothing_for_work_that_does_not_know(self) -> None:
        assert seconds_of(lambda: None) == 0

    def test_is_what_timed_work_took(self) -> None:
        assert seconds_of(Timed(lambda: None, since=perf_counter() - 5)) >= 5

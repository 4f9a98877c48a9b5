"""When to try again, as pure decisions."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets_project.outbox.retries import RetryPolicy, wait_after

STEADY = RetryPolicy(jitter=0)


class TestDelayAfter:
    @pytest.mark.parametrize(("attempts", "seconds"), [(1, 0.2), (2, 1), (3, 3), (4, 10), (11, 3000)])
    def test_grows_from_a_hiccup_to_an_hour(self, attempts: int, seconds: float) -> None:
        assert STEADY.delay_after(attempts) == timedelta(seconds=seconds)

    def test_parks_after_the_last_attempt(self) -> None:
        assert STEADY.delay_after(STEADY.most_attempts) is None
        assert STEADY.delay_after(STEADY.most_attempts - 1) is not None

    @given(attempts=st.integers(1, 11))
    def test_spreads_by_a_fifth_at_the_most(self, attempts: int) -> None:
        delay, steady = RetryPolicy().delay_after(attempts), STEADY.delay_after(attempts)
        assert delay is not None
        assert steady is not None
        assert 0.8 * steady <= delay <= 1.2 * steady

    def test_parks_at_once_without_delays(self) -> None:
        assert RetryPolicy(delays=()).delay_after(1) is None


class TestWaitAfter:
    @pytest.mark.parametrize(("waited", "seconds"), [(0, 0.2), (4, 1), (60, 5)])
    def test_asks_less_often_the_longer_it_waits(self, waited: float, seconds: float) -> None:
        assert wait_after(timedelta(seconds=waited)) == timedelta(seconds=seconds)

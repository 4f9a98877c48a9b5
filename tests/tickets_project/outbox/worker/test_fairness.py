"""Whose turn it is among the handlers of one dispatcher."""

from collections import Counter

import pytest

from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.messages_for_tests import Happened
from tickets_project.outbox.subscriptions import Subscription, Subscriptions
from tickets_project.outbox.worker.fairness import (
    BATCH,
    OTHERS_WAIT,
    OTHERS_WAIT_SECONDS,
    SHORT_BATCH,
    SLOW_SECONDS,
    Fairness,
)


def handle(_message: Happened) -> None:
    pass


@pytest.fixture
def fairness() -> Fairness:
    return Fairness(
        Subscriptions(
            Subscription(Happened, "print", handle, external=True, urgent=True),
            Subscription(Happened, "charge", handle, external=True),
            Subscription(Happened, "record", handle, urgent=True),
            Subscription(Happened, "count", handle),
            declared_in=(messages_for_tests,),
        )
    )


class TestForCrew:
    def test_is_what_calls_others(self, fairness: Fairness) -> None:
        assert fairness.for_crew(busy=Counter(), free=4) == ["print", "charge"]

    def test_is_nobody_when_no_thread_is_free(self, fairness: Fairness) -> None:
        assert fairness.for_crew(busy=Counter(print=4), free=0) == []

    def test_leaves_out_who_has_three_times_what_is_free(self, fairness: Fairness) -> None:
        assert fairness.for_crew(busy=Counter(print=6), free=3) == ["charge"]
        assert fairness.for_crew(busy=Counter(print=5), free=3) == ["print", "charge"]

    def test_keeps_the_last_thread_for_who_has_none(self, fairness: Fairness) -> None:
        assert fairness.for_crew(busy=Counter(print=1), free=1) == ["charge"]


class TestForOwnThread:
    def test_is_each_transactional_handler(self, fairness: Fairness) -> None:
        assert set(fairness.for_own_thread(busy=Counter(charge=1), now=0).handlers) == {"record", "count"}

    def test_gives_the_others_a_tenth_of_its_time_while_an_urgent_call_runs(self, fairness: Fairness) -> None:
        theirs = fairness.for_own_thread(busy=Counter(print=1), now=0)
        assert set(theirs.handlers) == {"record", "count"}
        assert theirs.limit == SHORT_BATCH
        fairness.notice_turn(theirs, began=0, ended=0.1)
        own = fairness.for_own_thread(busy=Counter(print=1), now=0.2)
        assert own.handlers == ["record"]
        assert own.limit == BATCH
        assert own.others_in == pytest.approx(0.1 + OTHERS_WAIT * 0.1 - 0.2)
        fairness.notice_turn(own, began=0.2, ended=0.9)
        later = fairness.for_own_thread(busy=Counter(print=1), now=0.1 + OTHERS_WAIT * 0.1)
        assert set(later.handlers) == {"record", "count"}

    def test_leaves_the_others_out_for_no_longer_than_a_second(self, fairness: Fairness) -> None:
        fairness.notice_turn(fairness.for_own_thread(busy=Counter(print=1), now=0), began=0, ended=5)
        assert fairness.for_own_thread(busy=Counter(print=1), now=5).others_in == OTHERS_WAIT_SECONDS
        assert "count" in fairness.for_own_thread(busy=Counter(print=1), now=5 + OTHERS_WAIT_SECONDS).handlers

    def test_gives_all_their_turn_as_soon_as_no_urgent_call_runs(self, fairness: Fairness) -> None:
        fairness.notice_turn(fairness.for_own_thread(busy=Counter(print=1), now=0), began=0, ended=5)
        turn = fairness.for_own_thread(busy=Counter(charge=1), now=5)
        assert set(turn.handlers) == {"record", "count"}
        assert turn.limit == BATCH


class TestNotice:
    def test_sends_a_slow_transactional_handler_to_the_crew(self, fairness: Fairness) -> None:
        fairness.notice("count", seconds=2 * SLOW_SECONDS)
        assert fairness.is_slow("count")
        assert fairness.for_own_thread(busy=Counter(), now=0).handlers == ["record"]
        assert fairness.for_crew(busy=Counter(), free=4) == ["print", "charge", "count"]

    def test_leaves_who_is_prompt(self, fairness: Fairness) -> None:
        fairness.notice("count", seconds=SLOW_SECONDS)
        assert not fairness.is_slow("count")

    def test_makes_no_room_for_an_urgent_call_that_sleeps_until_it_is_quick_again(self, fairness: Fairness) -> None:
        fairness.notice_turn(fairness.for_own_thread(busy=Counter(), now=0), began=0, ended=0.1)
        fairness.notice("print", seconds=60)
        assert set(fairness.for_own_thread(busy=Counter(print=1), now=0.1).handlers) == {"record", "count"}
        fairness.notice("print", seconds=0.01)
        assert fairness.for_own_thread(busy=Counter(print=1), now=0.2).handlers == ["record"]


class TestNoticeFailure:
    def test_sends_who_fails_for_long_in_one_turn_to_the_crew(self, fairness: Fairness) -> None:
        for _ in range(5):
            fairness.notice_failure("count", seconds=SLOW_SECONDS / 4)
        assert fairness.is_slow("count")

    def test_forgets_with_each_turn(self, fairness: Fairness) -> None:
        for turn in range(5):
            fairness.for_own_thread(busy=Counter(), now=turn)
            fairness.notice_failure("count", seconds=SLOW_SECONDS / 4)
        assert not fairness.is_slow("count")

"""Every order in which messages can arrive: the same is known, sent and booked in the end.

Messages arrive in any order that causality allows: one only after the command that causes it, and tickets at any time
after the show is booked, before `BookingMade` or after the end. `orders.py` says how the orders are gone through, and
docs/vip_bundles.md how many they are. `BUNDLE_ORDERS` is how many orders of a scenario are walked one by one.
"""

import os
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import product
from math import comb, factorial, prod
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vip_bundles.orders import SCENARIOS, count, walk
from tests.vip_bundles.told import (
    BOOK_INBOUND,
    BOOK_RETURN,
    BOOK_SHOW,
    BOOK_TAXI,
    BOOKING,
    CANCEL_INBOUND,
    CANCEL_RETURN,
    INBOUND,
    REFUNDS,
    RETRY,
    RETURN,
    ROLL_BACK,
    WENT_WELL,
    WENT_WRONG,
    knowing,
    minute,
)
from tests.vip_bundles.world import ALWAYS, Scenario, World
from tickets_project.outbox.messages import Message
from vip_bundles.facts import ENDED, Bundle, State
from vip_bundles.process import Request

WALKED = int(os.environ.get("BUNDLE_ORDERS", "30000"))
EXAMPLES = int(os.environ.get("LIFE_CYCLE_EXAMPLES", "0"))
KEYS = ("booking", "bundle:inbound", "bundle:return", "bundle:taxi")

# What is booked, when the last message was published, and why it went wrong.
FACTS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "all of it is booked": (("show", INBOUND, RETURN, "taxi"), 40, ""),
    "no return flight is wanted": (("show", INBOUND, "taxi"), 40, ""),
    "no taxi is wanted": (("show", INBOUND, RETURN), 30, ""),
    "neither is wanted": (("show", INBOUND), 20, ""),
    "the show is sold out": ((), 3, "sold out"),
    "the inbound flight fails": (("show",), 21, "no seat there"),
    "the return flight fails": (("show", INBOUND), 31, "no seat back"),
    "the taxi fails": (("show", INBOUND, RETURN), 41, "no taxi"),
}
FLIGHTS = (BOOK_INBOUND, BOOK_RETURN)
SENT: dict[str, tuple[Message, ...]] = {
    "all of it is booked": (BOOK_SHOW, *FLIGHTS, BOOK_TAXI, WENT_WELL),
    "no return flight is wanted": (BOOK_SHOW, BOOK_INBOUND, BOOK_TAXI, WENT_WELL),
    "no taxi is wanted": (BOOK_SHOW, *FLIGHTS, WENT_WELL),
    "neither is wanted": (BOOK_SHOW, BOOK_INBOUND, WENT_WELL),
    "the show is sold out": (BOOK_SHOW, WENT_WRONG),
    "the inbound flight fails": (BOOK_SHOW, BOOK_INBOUND, *REFUNDS, WENT_WRONG),
    "the return flight fails": (BOOK_SHOW, *FLIGHTS, *REFUNDS, CANCEL_INBOUND, WENT_WRONG),
    "the taxi fails": (BOOK_SHOW, *FLIGHTS, BOOK_TAXI, *REFUNDS, CANCEL_INBOUND, CANCEL_RETURN, WENT_WRONG),
}
each_scenario = pytest.mark.parametrize("name", SCENARIOS)


def last_facts(name: str) -> Bundle:
    """Return what is known at the end of a scenario that nobody interferes with."""
    booked, at, reason = FACTS[name]
    return knowing(
        SCENARIOS[name].bundle(),
        *booked,
        tickets=3 if booked else 0,
        state=State.FAILED if reason else State.FINALIZED,
        failure_reason=reason,
        finalized_at=minute(at),
    )


def check(end: World) -> None:
    """Nothing is left to arrive, the end is told once, and all is booked, or all is taken back, once."""
    story, went_well = "\n".join(end.story), end.bundle.state is State.FINALIZED
    assert (end.letters, end.orders) == (frozenset(), frozenset()), story
    assert end.bundle.state in ENDED, story
    told = repr(WENT_WELL if went_well else WENT_WRONG)
    assert [text for text in end.sent if text.startswith("VipBundleFinalized")] == [told], story
    undone = [text for text in end.sent if text.startswith(("Refund", "Cancel"))]
    assert len(set(undone)) == len(undone), story
    if went_well:
        assert (undone, what_is_booked(end)) == ([], what_is_wanted(end.scenario)), story
    else:
        assert end.services.refunded == end.services.tickets, story
        assert end.services.cancelled == end.services.transport, story


def what_is_booked(end: World) -> tuple[AbstractSet[object], ...]:
    return end.services.shows, end.services.flights, end.services.taxis


def what_is_wanted(scenario: Scenario) -> tuple[AbstractSet[object], ...]:
    number = scenario.tickets
    inbound, homeward = ("bundle:inbound", INBOUND, number), ("bundle:return", RETURN, number)
    flights = {inbound, homeward} if scenario.return_flight else {inbound}
    return {(BOOKING, number)}, flights, {"bundle:taxi"} if scenario.taxi else set()


class TestEveryOrder:
    @each_scenario
    @pytest.mark.parametrize("times", [1, 2])
    def test_ends_with_the_same_facts_and_commands(self, name: str, times: int) -> None:
        (end,) = count(replace(SCENARIOS[name], times=times)).ends
        assert end.bundle == last_facts(name)
        assert end.sent == tuple(sorted(map(repr, SENT[name])))
        check(end)

    @each_scenario
    def test_fails_only_once_every_ticket_is_confirmed(self, name: str) -> None:
        failed = [world for world in count(SCENARIOS[name]).worlds if world.bundle.state is State.FAILED]
        expected = len(last_facts(name).ticket_ids)
        assert {len(world.bundle.ticket_ids) for world in failed} == ({expected} if FACTS[name][2] else set())

    @each_scenario
    @pytest.mark.parametrize("times", [1, 2])
    def test_never_waits_for_what_is_known(self, name: str, times: int) -> None:
        worlds = count(replace(SCENARIOS[name], times=times, requests=(ROLL_BACK,))).worlds
        waiting = [world.bundle for world in worlds if world.bundle.state in world.bundle.steps]
        assert waiting
        assert not any(bundle.is_done(bundle.state) for bundle in waiting)

    @each_scenario
    def test_ends_so_when_commands_wait_too(self, name: str) -> None:
        (end,) = count(replace(SCENARIOS[name], commands_wait=True)).ends
        (expected,) = count(SCENARIOS[name]).ends
        assert (end.bundle, end.sent, end.services) == (expected.bundle, expected.sent, expected.services)

    @each_scenario
    @pytest.mark.parametrize("times", [1, 2])
    def test_with_a_roll_back_ends_as_its_step_says(self, name: str, times: int) -> None:
        ends = count(replace(SCENARIOS[name], times=times, requests=(ROLL_BACK,))).ends
        for end in ends:
            check(end)
        # It comes before the beginning, during one of the steps, or too late.
        steps = [message for message in SENT[name] if message.NAME.startswith("Book")]
        assert len(ends) == 1 + len(steps) + 1
        assert {end.sent for end in ends} >= {tuple(sorted(map(repr, SENT[name])))}

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize(
        ("requests", "tickets", "times"), [((RETRY,), 3, 1), ((RETRY,), 1, 2), ((RETRY, ROLL_BACK), 3, 1)]
    )
    def test_ends_well_or_with_nothing_booked_when_a_retry_may_go_well(
        self, key: str, requests: tuple[Request, ...], tickets: int, times: int
    ) -> None:
        ends = count(Scenario(refused=key, refusals=1, requests=requests, tickets=tickets, times=times)).ends
        for end in ends:
            check(end)
        assert {end.bundle.state for end in ends} == ENDED


def variations(name: str) -> list[Scenario]:
    """Return the scenario with fewer tickets, repetitions and a roll-back."""
    return [
        replace(SCENARIOS[name], tickets=tickets, times=times, requests=requests)
        for tickets, times, requests in product((1, 2, 3), (1, 2), ((), (ROLL_BACK,)))
    ]


class TestCount:
    @each_scenario
    @pytest.mark.timeout(0)
    def test_is_what_walking_every_order_comes_to(self, name: str) -> None:
        for scenario in variations(name):
            counted = count(scenario)
            if counted.number <= WALKED:
                walked = Counter(walk(scenario))
                assert walked.total() == counted.number
                assert frozenset(walked) == counted.ends

    def test_is_what_arithmetic_comes_to(self) -> None:
        # The bundle is made; then four messages in their order, and three tickets among them.
        assert count(SCENARIOS["all of it is booked"]).number == factorial(7) // factorial(4)
        # The failure may arrive before the tickets, and is heard after them.
        assert count(SCENARIOS["the inbound flight fails"]).number == factorial(5) // 2
        # The second of each of five at any place after its first, then the tickets' pairs anywhere among the nine.
        twice = prod((1, 3, 5, 7, 9)) * comb(11, 2) * comb(13, 2) * comb(15, 2)
        assert count(replace(SCENARIOS["all of it is booked"], times=2)).number == twice

    def test_says_that_many_are_walked(self) -> None:
        counted = [count(scenario).number for name in SCENARIOS for scenario in variations(name)]
        assert sum(number for number in counted if number <= WALKED) > 100_000


scenarios = st.builds(
    Scenario,
    tickets=st.integers(1, 4),
    return_flight=st.booleans(),
    taxi=st.booleans(),
    refused=st.sampled_from(["", *KEYS]),
    refusals=st.sampled_from([1, 2, ALWAYS]),
    requests=st.lists(st.sampled_from([RETRY, ROLL_BACK]), max_size=3).map(tuple),
    times=st.integers(1, 3),
    commands_wait=st.booleans(),
)


@pytest.mark.timeout(0)
class TestAnyOrder:
    @given(scenario=scenarios, chance=st.randoms(use_true_random=False))
    @settings(max_examples=EXAMPLES or 300, derandomize=not EXAMPLES, database=None, deadline=None)
    def test_ends_well_or_with_nothing_booked(self, scenario: Scenario, chance: Random) -> None:
        world = scenario.begin()
        while following := list(world.steps()):
            world = chance.choice(following)
        check(world)

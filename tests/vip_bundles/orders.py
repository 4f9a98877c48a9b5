"""Every order in which a scenario's messages can arrive: walked one by one, or counted configuration by configuration.

Orders that have led to equal worlds go on alike, since a world is all that decisions and services depend on. So each
world is visited once, and counts as many orders as lead to an end from it: nothing is left out, and no order is counted
twice. Where orders are few, they are walked literally as well, which proves the counting.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.vip_bundles.world import Scenario, World

SCENARIOS = {
    "all of it is booked": Scenario(),
    "no return flight is wanted": Scenario(return_flight=False),
    "no taxi is wanted": Scenario(taxi=False),
    "neither is wanted": Scenario(return_flight=False, taxi=False),
    "the show is sold out": Scenario(refused="booking"),
    "the inbound flight fails": Scenario(refused="bundle:inbound"),
    "the return flight fails": Scenario(refused="bundle:return"),
    "the taxi fails": Scenario(refused="bundle:taxi"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How many orders there are, all worlds that they lead to, and those in which they end."""

    number: int
    worlds: frozenset[World]
    ends: frozenset[World]


@cache
def count(scenario: Scenario) -> Orders:
    """Visit each world that any order leads to."""
    ways: dict[World, int] = {}
    ends = set()

    def visit(world: World) -> int:
        if world not in ways:
            following = [visit(after) for after in world.steps()]
            ways[world] = sum(following) or 1
            if not following:
                ends.add(world)
        return ways[world]

    return Orders(number=visit(scenario.begin()), worlds=frozenset(ways), ends=frozenset(ends))


def walk(scenario: Scenario) -> Iterator[World]:
    """Yield the end of each order, one by one."""

    def onward(world: World) -> Iterator[World]:
        is_end = True
        for after in world.steps():
            is_end = False
            yield from onward(after)
        if is_end:
            yield world

    return onward(scenario.begin())

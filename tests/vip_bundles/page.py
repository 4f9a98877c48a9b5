"""The parts of docs/vip_bundles.md that the code writes: what the model declares, and what `decide` answers."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from pathlib import Path

from tests.vip_bundles.orders import SCENARIOS, count
from tests.vip_bundles.page_cases import MESSAGES, cases, condition, say
from tests.vip_bundles.told import (
    INBOUND,
    RETRY,
    RETURN,
    ROLL_BACK,
    booking_failed,
    flight_failed,
    standing,
    taxi_failed,
)
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.process import Heard, decide

PATH = Path(__file__).parents[2] / "docs" / "vip_bundles.md"
PART = re.compile(r"(?<=<!-- written by the code: )(\w+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)
Way = tuple[State, State]


def rewritten(page: str) -> str:
    """Return the page with each of its written parts as the code has it."""
    return PART.sub(lambda found: f"{found[1]}{found[2]}\n{PARTS[found[1]]()}\n\n", page)


def declared() -> list[Way]:
    """Return the transitions that the model declares."""
    field = VipBundle._meta.get_field("state")
    ways = {(State(str(each.source)), State(str(each.target))) for each in field.get_all_transitions(VipBundle)}
    order = list(State)
    return sorted(ways, key=lambda way: (order.index(way[0]), order.index(way[1])))


@cache
def causes() -> dict[Way, list[str]]:
    """Return what makes a bundle take each transition."""
    found: dict[Way, list[str]] = {}
    for name, state in product(MESSAGES, State):
        every = cases(name, state)
        for way in dict.fromkeys(way for case in every for way in pairwise(case.path)):
            taking = [case for case in every if way in pairwise(case.path)]
            found.setdefault(way, []).append(_cause(name, condition(taking, every)) if way[0] is state else "at once")
    return {way: list(dict.fromkeys(said)) for way, said in found.items()}


def _cause(name: str, when: str) -> str:
    name = name.replace("`", "").removesuffix(" (inbound)").removesuffix(" (return)")
    return f"{name} ({when})" if when else name


def diagram() -> str:
    """Return each declared transition with its causes."""
    caused = {way: " or ".join(causes().get(way, ["nothing"])) for way in declared()}
    ways = [f"    {source} --> {target} : {said}" for (source, target), said in caused.items()]
    ends = [f"    {state} --> [*]" for state in (State.FINALIZED, State.FAILED)]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> initialized", *ways, *ends, "```"])


def table() -> str:
    """Return what follows from each message, where anything does."""
    rows: dict[tuple[str, ...], list[State]] = {}
    for name, state in product(MESSAGES, State):
        every = cases(name, state)
        for follows in filter(None, dict.fromkeys(case.follows() for case in every)):
            when = condition([case for case in every if case.follows() == follows], every)
            rows.setdefault((name, when, *follows), []).append(state)
    return _table(
        ("message", "in", "if", "next", "stored", "sent"),
        [
            (name, ", ".join(f"`{state}`" for state in states), when, *follows)
            for (name, when, *follows), states in rows.items()
        ],
    )


def keys() -> str:
    """Return what each step asks for, under which key."""
    rows = []
    for state in (State.BOOKING_SHOW, State.BOOKING_INBOUND_FLIGHT, State.BOOKING_RETURN_FLIGHT, State.BOOKING_TAXI):
        bundle = replace(standing(state), vip_bundle_id="<bundle id>", booking_id="<booking id>")
        payload = decide(bundle, RETRY).sends[0].payload()
        key = payload.get("idempotency_key") or payload["booking_id"]
        rows.append((f"`{state}`", say(decide(standing(state), RETRY).sends), f"`{key}`"))
    return _table(("step", "command", "key"), rows)


def failures() -> str:
    """Return what is sent when a step of a bundle with everything fails."""
    failing: dict[State, Heard] = {
        State.BOOKING_SHOW: booking_failed(),
        State.BOOKING_INBOUND_FLIGHT: flight_failed(INBOUND),
        State.BOOKING_RETURN_FLIGHT: flight_failed(RETURN),
        State.BOOKING_TAXI: taxi_failed(),
    }
    rows = []
    for state, message in failing.items():
        sent = decide(standing(state, tickets=0 if state is State.BOOKING_SHOW else 3), message).sends
        names = [each.NAME for each in sent]
        counted = [str(names.count(name)) for name in ("RefundTicket", "CancelFlightTickets", "VipBundleFinalized_v1")]
        rows.append((f"`{state}`", *counted[:2], str(sum(each.KIND == "command" for each in sent)), counted[2]))
    head = ("what fails", "`RefundTicket`", "`CancelFlightTickets`", "commands", "`VipBundleFinalized_v1` (failure)")
    return _table(head, rows)


def late() -> str:
    """Return what takes back that which is told after the failure."""
    bundle = standing(State.FAILED)
    told = {name: decide(bundle, message) for name, message in MESSAGES.items()}
    rows = [(name, say(decision.sends) or "nothing") for name, decision in told.items() if decision.bundle != bundle]
    return _table(("told after the failure", "sent"), rows)


def orders() -> str:
    """Return how many orders each scenario's messages can arrive in."""
    rows = [
        [
            count(scenario).number,
            count(replace(scenario, times=2)).number,
            count(replace(scenario, times=2, requests=(ROLL_BACK,))).number,
        ]
        for scenario in SCENARIOS.values()
    ]
    total = [sum(column) for column in zip(*rows, strict=True)]
    named = zip([*SCENARIOS, "together"], [*rows, total], strict=True)
    head = ("scenario, with three tickets", "each once", "each twice", "each twice, and a roll back at any time")
    return _table(head, [(name, *(f"{number:,}" for number in numbers)) for name, numbers in named])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in (head, ["---"] * len(head), *rows))


PARTS: dict[str, Callable[[], str]] = {part.__name__: part for part in (failures, diagram, table, keys, late, orders)}

"""A bundle among its services, and every way to go on: messages arrive in any order that causality allows.

A step delivers a message to the bundle. The commands that it sends then are executed at once: a service answers the
same whenever it is asked, and its answer may arrive at any later time, so that asking later adds no order of arrival.
With `commands_wait` each execution is a step of its own all the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.vip_bundles.services_model import Services
from tests.vip_bundles.told import initialized, new_bundle
from tickets_project.outbox.messages import Command
from tickets_project.outbox.outcomes import NotYet
from vip_bundles.facts import Bundle
from vip_bundles.process import Request, decide

ALWAYS = 99


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is wanted, what goes wrong, and what people ask for at some time.

    :param refused: the key that is refused
    :param refusals: how often, before there is room
    :param times: how often each message is delivered, and each command executed
    """

    tickets: int = 3
    return_flight: bool = True
    taxi: bool = True
    refused: str = ""
    refusals: int = ALWAYS
    requests: tuple[Request, ...] = ()
    times: int = 1
    commands_wait: bool = False

    def bundle(self) -> Bundle:
        return new_bundle(tickets=self.tickets, return_flight=self.return_flight, taxi=self.taxi)

    def begin(self) -> "World":
        """Return the world in which the bundle is made, and nothing has arrived."""
        letters = Counter({Parcel.of(initialized()): self.times}) + Counter(Parcel.of(each) for each in self.requests)
        services = Services(refuses=self.refused, refusals=self.refusals)
        return World(scenario=self, bundle=self.bundle(), services=services, letters=_frozen(letters))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message on its way, told from others by what it says."""

    text: str
    message: Any = field(compare=False, repr=False)

    @classmethod
    def of(cls, message: Any) -> "Parcel":
        return cls(repr(message), message)


Parcels = frozenset[tuple[Parcel, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that the future depends on, and all that was sent.

    :param letters: what may arrive, with the number of deliveries left
    :param too_early: what has arrived, and is to be heard later
    :param orders: the commands to execute, with the number of executions left
    :param story: the steps of one order that leads here
    """

    scenario: Scenario = field(compare=False, repr=False)
    bundle: Bundle
    services: Services
    letters: Parcels
    too_early: frozenset[Parcel] = frozenset()
    orders: Parcels = frozenset()
    sent: tuple[str, ...] = ()
    story: tuple[str, ...] = field(default=(), compare=False)

    def steps(self) -> Iterator["World"]:
        """Yield the world after each thing that may happen next."""
        for parcel, left in sorted(self.letters, key=lambda each: each[0].text):
            if after := self._hearing(parcel, left):
                yield after
        for parcel, left in sorted(self.orders, key=lambda each: each[0].text):
            after = replace(self, orders=_less(self.orders, parcel, left), story=(*self.story, parcel.text))
            yield after._executing(parcel)

    def _hearing(self, parcel: Parcel, left: int) -> "World | None":
        story = (*self.story, parcel.text)
        try:
            decision = decide(self.bundle, parcel.message)
        except NotYet:
            # Heard too early once more, it would leave this very world again.
            is_known = parcel in self.too_early
            return None if is_known else replace(self, too_early=self.too_early | {parcel}, story=story)
        world = replace(
            self,
            bundle=decision.bundle,
            letters=_less(self.letters, parcel, left),
            too_early=self.too_early - {parcel},
            sent=tuple(sorted([*self.sent, *map(repr, decision.sends)])),
            story=story,
        )
        for message in decision.sends:
            if isinstance(message, Command):
                world = world._asked(Parcel.of(message))
        return world

    def _asked(self, parcel: Parcel) -> "World":
        if self.scenario.commands_wait:
            return replace(self, orders=_more(self.orders, [parcel], self.scenario.times))
        return self._executing(parcel)

    def _executing(self, parcel: Parcel) -> "World":
        services, published = self.services, dict[Parcel, None]()
        for _ in range(1 if self.scenario.commands_wait else self.scenario.times):
            services, messages = services.execute(parcel.message)
            published |= dict.fromkeys(map(Parcel.of, messages))
        return replace(self, services=services, letters=_more(self.letters, published, self.scenario.times))


def _frozen(counted: Counter[Parcel]) -> Parcels:
    return frozenset(counted.items())


def _more(parcels: Parcels, others: Iterable[Parcel], times: int) -> Parcels:
    return _frozen(Counter(dict(parcels)) + Counter(dict.fromkeys(others, times)))


def _less(parcels: Parcels, parcel: Parcel, left: int) -> Parcels:
    rest = parcels - {(parcel, left)}
    return rest | {(parcel, left - 1)} if left > 1 else rest

"""A hypothesis machine that does the same to the outbox and to the model, in any order."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.tickets_project.outbox import claims_handlers
from tests.tickets_project.outbox.claims_dispatchers import NUMBER, Dispatchers, has_in_hand
from tests.tickets_project.outbox.claims_handlers import HANDLERS, OTHER
from tests.tickets_project.outbox.claims_rows import ModelDelivery, ModelHandler
from tests.tickets_project.outbox.claims_stored import (
    assert_on_record,
    assert_rows_agree,
    assert_took_effect_once,
    learn_ids,
)
from tests.tickets_project.outbox.claims_working import DISPATCHERS, pick, seen
from tests.tickets_project.outbox.messages_for_tests import Happened
from tickets_project.outbox.errors import NotReplayable
from tickets_project.outbox.publishing import end_waits, publish
from tickets_project.outbox.repairing import discard_delivery, retry_delivery
from tickets_project.outbox.replaying import Plan, Replay, Selection, plan_replay
from tickets_project.refusals import DomainError

# Few, so that things meet one another.
MOST_OPEN = 8
ROUNDS = 100
THING = st.sampled_from(list(OTHER))
THINGS = st.lists(THING, min_size=1, max_size=2)


@dataclass(frozen=True)
class Planned:
    """A replay that is planned, and what the model knows of it."""

    plan: Plan
    turn: int
    numbers: list[int]
    handlers: list[ModelHandler]


class Claims(Dispatchers):
    """What the application and people do meanwhile; and after each step the outbox is where the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.planned: Planned | None = None

    def pass_time(self, hours: int) -> None:
        super().pass_time(hours)
        # Its moment has not moved with the rows.
        self.planned = None

    @initialize(things=THINGS)
    def begin(self, things: list[str]) -> None:
        self._publish(things, HANDLERS)

    @precondition(lambda self: len(self.model.open()) < MOST_OPEN)
    @rule(things=THINGS, fate=st.sampled_from(["heard by all", "heard by few", "in vain"]))
    def publish(self, things: list[str], fate: str) -> None:
        """Publish, before the last handler was written or since then, or in a transaction that is rolled back."""
        if fate == "heard by all":
            self._publish(things, HANDLERS)
        elif fate == "heard by few":
            with override_settings(OUTBOX_SUBSCRIPTIONS=f"{claims_handlers.__name__}.BEFORE"):
                self._publish(things, HANDLERS[:-1])
        else:
            with transaction.atomic():
                publish(*(Happened(thing_id=thing, number=self.new_number()) for thing in things))
                transaction.set_rollback(True)

    def _publish(self, things: Sequence[str], handlers: Sequence[ModelHandler]) -> None:
        messages = [Happened(thing_id=thing, number=self.new_number()) for thing in things]
        with transaction.atomic():
            publish(*messages)
        at = self.model.moment()
        for message in messages:
            self.model.end_waits(message.thing_id, at)
            self.model.publish(message.number, message.thing_id, handlers, at)

    @precondition(lambda self: self.model.waiting())
    @rule(number=NUMBER)
    def tell(self, number: int) -> None:
        """End the waits for a thing without a message."""
        thing = pick(self.model.waiting(), number).waits_for
        end_waits(thing)
        self.model.end_waits(thing, self.model.moment())

    @precondition(lambda self: has_in_hand(self) or self.stuck())
    @rule(number=NUMBER)
    def retry(self, number: int) -> None:
        self._repair(number, "retried", retry_delivery)

    @precondition(lambda self: has_in_hand(self) or self.stuck())
    @rule(number=NUMBER)
    def discard(self, number: int) -> None:
        self._repair(number, "discarded", discard_delivery)

    def _repair(self, number: int, action: str, ask: Callable[..., Any]) -> None:
        """Ask it of a delivery, mostly of one that is parked, waits, or whose lease has ended."""
        chosen = pick((self.stuck() if number % 4 < 3 else []) or self.model.deliveries, number)
        learn_ids(self.model)
        expected, refused = self.model.repair(chosen, action), None
        try:
            ask(chosen.id, by="ann", at=timezone.now(), reason="no longer wanted")
        except DomainError as refusal:
            refused = refusal.code
        seen[f"{action}: {refused or 'done'}"] += 1
        assert refused == expected

    def stuck(self) -> list[ModelDelivery]:
        return [*self.model.parked(), *self.model.waiting(), *self.model.lapsed()]

    @precondition(lambda self: not self.planned and any(each.status != "pending" for each in self.model.deliveries))
    @rule(
        named=st.sampled_from([[], HANDLERS[:2], *([each] for each in HANDLERS)]),
        thing=st.none() | THING,
        force=st.booleans(),
    )
    def plan(self, named: Sequence[ModelHandler], thing: str | None, *, force: bool) -> None:
        selection = Selection(handlers=tuple(each.key for each in named), aggregate_id=thing, force=force)
        heard = list(named or HANDLERS)
        handlers = [handler for handler in heard if handler.replayable or force]
        try:
            plan = plan_replay(selection)
        except NotReplayable:
            assert named
            assert handlers != heard
            return
        assert not named or handlers == heard
        numbers = [number for number, about in self.model.things.items() if thing in {None, about}]
        _, turn = self.model.moment()
        self.planned = Planned(plan, turn, numbers, handlers)
        assert plan.deliveries.total() == len(self.model.replayed(numbers, handlers, turn))

    @precondition(lambda self: self.planned)
    @rule()
    def replay(self) -> None:
        assert self.planned
        names = self.model.replayed(self.planned.numbers, self.planned.handlers, self.planned.turn)
        run = Replay(self.planned.plan, by="ann")
        run.run()
        assert (run.messages, run.opened, run.is_finished) == (len(self.planned.numbers), len(names), True)
        self.model.replay(names, HANDLERS)
        seen["replayed"] += len(names)
        self.planned = None

    @invariant()
    def agrees(self) -> None:
        assert_rows_agree(self.model, DISPATCHERS)

    def teardown(self) -> None:
        try:
            # What has failed already is told as it is.
            if sys.exception() is None:
                self._deliver_the_rest()
                assert_on_record(self.model)
                assert_took_effect_once(self.model.effects)
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)

    def _deliver_the_rest(self) -> None:
        """Deliver all but what is parked, and what that holds back."""
        for _ in range(ROUNDS):
            self.pass_time(10)
            for each in (claimed := self.claim("d1", HANDLERS, 100)):
                self.prepare(each, "ok")
            while self.prepared:
                self.commit(self.prepared.pop())
            if not claimed:
                break
        self.agrees()
        left = [each for each in self.model.deliveries if each.status == "pending"]
        assert all(self.model.is_held_back(each) for each in left), "they wait for nothing, and are not delivered"

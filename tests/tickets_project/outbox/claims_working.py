"""What the rules of the claims machine share: what is in hand, and what comes of it in the outbox and in the model."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine

from tests.tickets_project.outbox.claims_handlers import HANDLERS, ORDERS, OTHER, Killed
from tests.tickets_project.outbox.claims_model import LEASE, Model
from tests.tickets_project.outbox.claims_rows import WELL, ModelClaim, ModelDelivery, ModelHandler
from tests.tickets_project.outbox.claims_stored import earlier, learn_ids, pass_hours, stretch_wait
from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import Claim, Reading
from tickets_project.outbox.delivering import commit, commit_together, prepare
from tickets_project.outbox.failing import Undelivered
from tickets_project.outbox.subscriptions import Recording

HOUR = timedelta(hours=1)
LEASE_TIME = LEASE * HOUR
DISPATCHERS = {name: UUID(int=number) for number, name in enumerate(("d1", "d2"), start=1)}

T = TypeVar("T")

seen: Counter[str] = Counter()
"""How often each thing happened, in all examples."""


@dataclass(eq=False)
class InHand:
    """A claim that a dispatcher believes to be its own, and how its handler runs."""

    claim: Claim
    expected: ModelClaim
    how: str = ""
    effect: Recording | None = None

    @property
    def number(self) -> int:
        return self.expected.delivery.number

    def is_alike(self, other: "InHand") -> bool:
        """Tell whether both may be committed together: one dispatcher has them, of one handler."""
        mine, theirs = self.expected, other.expected
        return (mine.dispatcher, mine.delivery.handler) == (theirs.dispatcher, theirs.delivery.handler)

    @property
    def fails_at_once(self) -> bool:
        is_called = self.expected.delivery.handler.external and self.how.endswith(" at once")
        return self.expected.is_hopeless or is_called

    @property
    def is_claimed_anew(self) -> bool:
        """Tell whether the same dispatcher has a newer claim of the same delivery."""
        return self.expected.delivery.holder == self.expected.dispatcher and not self.expected.is_current

    @property
    def goes_well(self) -> bool:
        return self.expected.is_current and self.how in WELL


def pick(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


class Working(RuleBasedStateMachine):
    """Two dispatchers, and what they have in hand: claims that have not run, and effects that are not committed."""

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.model = Model()
        self.unrun: list[InHand] = []
        self.prepared: list[InHand] = []
        self.numbers = 0
        # What a look has told last: claims begin there, however long ago it was.
        self.since = "{}"

    @property
    def in_hand(self) -> list[InHand]:
        return [*self.unrun, *self.prepared]

    @property
    def lost(self) -> list[InHand]:
        return [each for each in self.unrun if not each.expected.is_current]

    def new_number(self) -> int:
        self.numbers += 1
        return self.numbers

    def claim(self, dispatcher: str, handlers: Sequence[ModelHandler], limit: int) -> list[InHand]:
        keys, urgent = [each.key for each in handlers], [each.key for each in handlers if each.urgent]
        assert claiming.look(handlers=keys).is_due or not self.model.is_due(handlers)
        answer = claiming.claim(
            dispatcher=DISPATCHERS[dispatcher],
            handlers=keys,
            limit=limit,
            lease=LEASE_TIME,
            reading=Reading(urgent=urgent, since=self.since),
        )
        learn_ids(self.model)
        by_id = {each.id: each for each in self.model.deliveries}
        taken = [by_id[claim.delivery_id] for claim in answer]
        self.model.assert_fair(taken, handlers, limit)
        for claim, delivery in zip(answer, taken, strict=True):
            assert (claim.handler, claim.payload["number"], claim.aggregate_id) == (*delivery.name, delivery.thing)
            assert (claim.attempts, claim.orphaned) == (delivery.attempts + 1, delivery.is_orphaned)
        self._count_claimed(taken, handlers, limit)
        return [InHand(*pair) for pair in zip(answer, self.model.claim(taken, dispatcher), strict=True)]

    def _count_claimed(self, taken: Sequence[ModelDelivery], handlers: Sequence[ModelHandler], limit: int) -> None:
        left = [each for each in self.model.deliveries if each.handler in handlers and each not in taken]
        seen["claimed"] += len(taken)
        seen["orphaned"] += sum(each.is_orphaned for each in taken)
        if len(taken) < limit:
            seen["an orphan is left"] += any(each.is_orphaned and self.model.may_run(each) for each in left)
        seen["held back"] += any(each.status == "pending" and self.model.is_held_back(each) for each in left)

    def prepare(self, each: InHand, how: str) -> None:
        """Run what runs before the transaction."""
        each.how = how if each.expected.delivery.handler.external else how.removesuffix(" at once")
        self._order(each)
        try:
            outcome = prepare(each.claim)
        except Killed:
            self.crash(each.expected.dispatcher)
            return
        assert isinstance(outcome, Undelivered) is each.fails_at_once
        if isinstance(outcome, Undelivered):
            self._end(each, outcome)
        else:
            each.effect = outcome
            self.prepared.append(each)

    def commit(self, each: InHand) -> None:
        assert each.effect
        self._order(each)
        try:
            outcome = commit(each.claim, each.effect)
        except Killed:
            self.crash(each.expected.dispatcher)
            return
        self._end(each, outcome)

    def commit_together(self, group: list[InHand]) -> None:
        """Commit all, or none."""
        batch = [(each.claim, each.effect) for each in group if each.effect]
        self._order(*group)
        try:
            left = commit_together(batch)
        except Killed:
            self.crash(group[0].expected.dispatcher)
            return
        # One that was lost, retried by a person and claimed anew by the same dispatcher is in its hand twice.
        is_distinct = len({each.expected.delivery for each in group}) == len(group)
        if not (is_distinct and all(each.goes_well for each in group)):
            assert left == batch
            seen["not together"] += 1
            return
        assert left == []
        seen["together"] += 1
        for each in group:
            self.prepared.remove(each)
            self._end(each, None)

    def crash(self, dispatcher: str) -> None:
        """Forget what it had in hand; nobody tells the database."""
        seen["crashed"] += 1
        self.unrun = [each for each in self.unrun if each.expected.dispatcher != dispatcher]
        self.prepared = [each for each in self.prepared if each.expected.dispatcher != dispatcher]

    def pass_time(self, hours: int) -> None:
        self.model.now += hours
        pass_hours(hours)
        self.since = earlier(self.since, hours * HOUR)

    def _order(self, *group: InHand) -> None:
        ORDERS.how = {each.number: each.how for each in group}
        ORDERS.follows = {each.number: self.new_number() for each in group}

    def _end(self, each: InHand, outcome: Undelivered | None) -> None:
        delivery = each.expected.delivery
        came = self.model.end(each.expected, each.how.removesuffix(" at once"), OTHER[delivery.thing])
        seen[came] += 1
        seen["worn out"] += came == "parked" and each.how.startswith("fail") and not each.expected.is_hopeless
        assert (outcome is None) is (came == "delivered")
        if came == "delivered" and each.how == "follow":
            self.publish_in_model(ORDERS.follows[each.number], OTHER[delivery.thing])
        elif came == "waits":
            stretch_wait(each.claim.delivery_id)
        if outcome and came != "lost":
            _assert_told(outcome.delay, came, delivery)

    def publish_in_model(self, number: int, thing: str) -> None:
        at = self.model.moment()
        self.model.end_waits(thing, at)
        self.model.publish(number, thing, HANDLERS, at)


def _assert_told(delay: timedelta | None, came: str, delivery: ModelDelivery) -> None:
    """Assert that the dispatcher knows when to look again."""
    if came == "failed":
        assert delay == delivery.handler.delays[delivery.attempts - 1] * HOUR
    elif came == "waits":
        assert delay
        assert timedelta() < delay <= timedelta(seconds=5)
    else:
        assert delay is None

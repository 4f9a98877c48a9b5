"""What the outbox should do with deliveries, in plain Python: what the claims machine expects of the database.

Nothing that it judges is imported. Time is in whole hours; what happens within an hour is told apart by its turn.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tests.tickets_project.outbox.claims_rows import WELL, ModelClaim, ModelDelivery, ModelHandler, Moment, age

OPEN = ("pending", "parked")
LEASE = STRETCH = 1
# A handler that says NotYet past this is parked.
PATIENCE = 2


@dataclass
class Model:
    """All there is, and the time."""

    now: int = 0
    turn: int = 0
    things: dict[int, str] = field(default_factory=dict)
    deliveries: list[ModelDelivery] = field(default_factory=list)
    effects: Counter[tuple[str, int]] = field(default_factory=Counter)
    interventions: Counter[tuple[str, int, str]] = field(default_factory=Counter)

    def moment(self, *, after: int = 0) -> Moment:
        self.turn += 1
        return self.now + after, self.turn

    def publish(self, number: int, thing: str, handlers: Iterable[ModelHandler], at: Moment) -> None:
        self.things[number] = thing
        self.deliveries += [ModelDelivery(handler, number, thing, at) for handler in handlers]

    def end_waits(self, thing: str, at: Moment) -> None:
        for delivery in self.deliveries:
            if delivery.status == "pending" and delivery.waits_for == thing:
                delivery.due, delivery.waits_for = at, ""

    def open(self) -> list[ModelDelivery]:
        return [each for each in self.deliveries if each.status in OPEN]

    def waiting(self) -> list[ModelDelivery]:
        return [each for each in self.deliveries if each.status == "pending" and each.waits_for]

    def parked(self) -> list[ModelDelivery]:
        return [each for each in self.deliveries if each.status == "parked"]

    def lapsed(self) -> list[ModelDelivery]:
        """Return what a dispatcher may still be running although its lease has ended."""
        return [
            each
            for each in self.deliveries
            if each.status == "pending" and each.holder and not each.is_leased(self.now)
        ]

    def may_run(self, delivery: ModelDelivery) -> bool:
        """Tell whether the delivery is due; an ordered one waits for all that come before it."""
        return delivery.status == "pending" and delivery.due[0] <= self.now and not self.is_held_back(delivery)

    def is_due(self, handlers: Collection[ModelHandler]) -> bool:
        return any(each.handler in handlers and self.may_run(each) for each in self.deliveries)

    def is_held_back(self, delivery: ModelDelivery) -> bool:
        return delivery.handler.ordered and any(
            other.number < delivery.number and other.status in OPEN
            for other in self.deliveries
            if (other.handler, other.thing) == (delivery.handler, delivery.thing)
        )

    def assert_fair(self, taken: Collection[ModelDelivery], handlers: Collection[ModelHandler], limit: int) -> None:
        """Assert that these are the ones to be claimed: each handler's oldest in turn, as many as may be.

        Of those whose claim nobody ended the oldest alone may be claimed, for it may have killed its worker.
        """
        oldest = {handler: self._oldest(handler)[:limit] for handler in handlers}
        orphaned = sorted((each for row in oldest.values() for each in row if each.is_orphaned), key=age)
        turns = {
            each: place / handler.turn
            for handler, row in oldest.items()
            for place, each in enumerate(row, start=1)
            if each not in orphaned[1:]
        }
        left = [turn for each, turn in turns.items() if each not in taken]
        assert len(taken) == min(limit, len(turns))
        assert all(turns[each] <= min(left, default=turns[each]) for each in taken), "it was another's turn"

    def _oldest(self, handler: ModelHandler) -> list[ModelDelivery]:
        return sorted((each for each in self.deliveries if each.handler == handler and self.may_run(each)), key=age)

    def claim(self, taken: Iterable[ModelDelivery], dispatcher: str) -> list[ModelClaim]:
        until = self.moment(after=LEASE)
        return [self._claim(delivery, dispatcher, until) for delivery in taken]

    def _claim(self, delivery: ModelDelivery, dispatcher: str, until: Moment) -> ModelClaim:
        delivery.attempts += 1
        delivery.holder, delivery.due, delivery.leased_until, delivery.waits_for = dispatcher, until, until[0], ""
        waited = 0 if delivery.waiting_since is None else self.now - delivery.waiting_since
        return ModelClaim(delivery, dispatcher, delivery.attempts, waited)

    def held_by(self, dispatcher: str) -> list[ModelDelivery]:
        return [each for each in self.deliveries if (each.status, each.holder) == ("pending", dispatcher)]

    def renew(self, deliveries: Iterable[ModelDelivery]) -> None:
        until = self.moment(after=LEASE)
        for delivery in deliveries:
            delivery.due, delivery.leased_until = until, until[0]

    def release(self, deliveries: Iterable[ModelDelivery], *, unrun: bool) -> None:
        at = self.moment()
        for delivery in deliveries:
            delivery.let_go()
            delivery.due = at
            delivery.attempts -= unrun
            delivery.leased_until = None if unrun else self.now

    def end(self, claim: ModelClaim, how: str, waits_for: str = "") -> str:
        """Do what comes of a claim whose handler ran like this; return what it was."""
        if not claim.is_current:
            return "lost"
        if claim.is_hopeless:
            how = "give up"
        if how in WELL:
            return self._deliver(claim.delivery)
        if how == "fail":
            return self._fail(claim.delivery)
        if how == "not yet" and claim.waited <= PATIENCE:
            return self._wait(claim.delivery, waits_for)
        return self._park(claim.delivery)

    def _deliver(self, delivery: ModelDelivery) -> str:
        self.effects[delivery.name] += 1
        delivery.status, delivery.leased_until, delivery.waiting_since = "delivered", None, None
        _, delivery.delivered_in = self.moment()
        return "delivered"

    def _fail(self, delivery: ModelDelivery) -> str:
        if delivery.attempts > len(delivery.handler.delays):
            return self._park(delivery)
        delivery.let_go()
        delivery.due = self.moment(after=delivery.handler.delays[delivery.attempts - 1])
        delivery.waiting_since = None
        return "failed"

    def _park(self, delivery: ModelDelivery) -> str:
        delivery.let_go("parked")
        delivery.waiting_since = None
        return "parked"

    def _wait(self, delivery: ModelDelivery, waits_for: str) -> str:
        delivery.let_go()
        delivery.due = self.moment(after=STRETCH)
        delivery.attempts -= 1
        delivery.waits_for = waits_for
        delivery.waiting_since = self.now if delivery.waiting_since is None else delivery.waiting_since
        return "waits"

    def repair(self, delivery: ModelDelivery, action: str) -> str | None:
        if delivery.status not in OPEN:
            return "delivery_closed"
        if delivery.status == "pending" and delivery.is_leased(self.now):
            return "delivery_running"
        self.interventions[*delivery.name, action] += 1
        if action == "retried":
            self._reopen(delivery)
        else:
            delivery.status = "discarded"
        return None

    def replayed(self, numbers: Iterable[int], handlers: Collection[ModelHandler], since: int) -> list[tuple[str, int]]:
        """Return which deliveries a replay opens that was planned in that turn."""
        closed = {each.name for each in self.deliveries if each.status == "pending" or each.delivered_in > since}
        wanted = [(handler.key, number) for number in numbers for handler in handlers]
        return [name for name in wanted if name not in closed]

    def replay(self, names: Iterable[tuple[str, int]], handlers: Iterable[ModelHandler]) -> None:
        """Open these deliveries; make those that there are none of."""
        by_name, by_key = {each.name: each for each in self.deliveries}, {each.key: each for each in handlers}
        for key, number in names:
            delivery = by_name.get((key, number)) or self._make(by_key[key], number)
            self._reopen(delivery)
            self.interventions[key, number, "replayed"] += 1

    def _make(self, handler: ModelHandler, number: int) -> ModelDelivery:
        self.deliveries.append(ModelDelivery(handler, number, self.things[number], self.moment()))
        return self.deliveries[-1]

    def _reopen(self, delivery: ModelDelivery) -> None:
        delivery.let_go()
        delivery.attempts, delivery.due = 0, self.moment()
        delivery.waits_for, delivery.waiting_since = "", None

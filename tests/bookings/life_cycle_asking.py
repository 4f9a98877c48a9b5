"""How the life-cycle machine asks: the system and the model the same, and then whether they still agree."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, invariant

from bookings.models import Scan
from tests.bookings.life_cycle_model import Model
from tests.bookings.life_cycle_rows import ModelBooking, ModelTicket
from tests.bookings.life_cycle_stored import assert_recorded_in_order, assert_rows_agree, assert_told_once
from tests.factories import NOON, StaffFactory, UserFactory
from tickets_project.audit.acts import Act
from tickets_project.event_result import EventResult
from tickets_project.refusals import DomainError

T = TypeVar("T", ModelBooking, ModelTicket)

seen: Counter[str] = Counter()
"""How often each request was answered in each way, in all examples."""


def pick(rows: Sequence[T], number: int, meant: Sequence[str], *, any_: bool) -> T:
    """Return one of the rows, of those that are in a state which the request is meant for if there are any."""
    fitting = [row for row in rows if row.status in meant]
    chosen = rows if any_ or not fitting else fitting
    return chosen[number % len(chosen)]


class Asking(RuleBasedStateMachine):
    """What all rules share: who asks, when, and that both give the same answer. Each example is rolled back."""

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.ada, self.ann = UserFactory.create(), StaffFactory.create()
        self.model = Model(now=NOON)
        self.scans: list[tuple[ModelTicket, Scan]] = []
        self.requests: Counter[str] = Counter()

    def teardown(self) -> None:
        try:
            # What has failed already is told as it is.
            if sys.exception() is None:
                assert_told_once(self.model, self.requests)
                assert_recorded_in_order()
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)

    @invariant()
    def agrees(self) -> None:
        assert_rows_agree(self.model)

    def act(self, *, staff: bool) -> Act:
        return Act(at=self.model.now, actor=self.ann if staff else self.ada, as_staff=staff)

    def agree(self, what: str, expected: str | None, request: Callable[[], Any]) -> Any:
        """Ask, and require the answer that the model gave; return it, None when it was refused."""
        answer, refused = None, None
        try:
            with transaction.atomic():
                answer = request()
        except DomainError as refusal:
            refused = refusal.code
        if isinstance(answer, EventResult):
            refused = answer.error_type
        seen[f"{what}: {refused or 'done'}"] += 1
        assert refused == expected, f"{what}: answered {refused}, expected {expected}"
        return None if refused else answer

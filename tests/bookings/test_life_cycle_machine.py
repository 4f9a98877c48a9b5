"""Bookings and tickets through anything that people may ask of them, against a model in plain Python.

The short run repeats the same examples; `LIFE_CYCLE_EXAMPLES=1000` makes it a search for new ones.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bookings.life_cycle_asking import seen
from tests.bookings.life_cycle_machine import LifeCycle

EXAMPLES = int(os.environ.get("LIFE_CYCLE_EXAMPLES", "0"))
SEARCH = settings(
    max_examples=EXAMPLES or 50,
    stateful_step_count=25,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


# What the examples must come to, so that they mean something.
REACHED = {
    *(f"{request}: done" for request in ("book", "confirm", "cancel", "activate", "redeem", "refund")),
    "book: not_enough_tickets",
    "confirm: booking_not_pending",
    "cancel: booking_already_cancelled",
    "command: refunded",
}


@pytest.mark.django_db
@pytest.mark.timeout(0)
class TestLifeCycle:
    def test_is_what_the_model_says(self) -> None:
        seen.clear()
        run_state_machine_as_test(LifeCycle, settings=SEARCH)
        assert seen.keys() >= REACHED

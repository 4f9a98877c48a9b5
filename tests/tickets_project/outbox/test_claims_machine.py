"""Deliveries through anything that dispatchers, crashes and people may do to them, against a model in plain Python.

The short run repeats the same examples; `CLAIMS_EXAMPLES=1000` makes it a search for new ones.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from pytest_django import Settings

from tests.crash.trial.effects import drop_table, make_table
from tests.tickets_project.outbox import claims_handlers
from tests.tickets_project.outbox.claims_machine import Claims
from tests.tickets_project.outbox.claims_model import PATIENCE
from tests.tickets_project.outbox.claims_working import seen
from tickets_project.outbox import delivering

EXAMPLES = int(os.environ.get("CLAIMS_EXAMPLES", "0"))
SEARCH = settings(
    max_examples=EXAMPLES or 150,
    stateful_step_count=40,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)

ANSWERS = ("done", "delivery_closed", "delivery_running")
# What the examples must come to, so that they mean something.
REACHED = {
    *("claimed", "orphaned", "an orphan is left", "held back"),
    *("delivered", "failed", "waits", "parked", "worn out", "lost", "crashed", "together", "not together", "replayed"),
    *(f"{action}: {answer}" for action in ("retried", "discarded") for answer in ANSWERS),
}


@pytest.fixture
def _handlers(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,  # noqa: ARG001 - opens the database
) -> Iterator[None]:
    # However slow the machine is, for an example must go the same way each time.
    monkeypatch.setattr(delivering, "TOGETHER_SECONDS", 600)
    settings.OUTBOX_SUBSCRIPTIONS = f"{claims_handlers.__name__}.NOW"
    settings.OUTBOX_WAIT_SECONDS = (PATIENCE + 0.5) * claims_handlers.HOUR
    make_table()
    yield
    drop_table()


@pytest.mark.usefixtures("_handlers")
@pytest.mark.timeout(0)
class TestClaims:
    def test_are_what_the_model_says(self) -> None:
        seen.clear()
        run_state_machine_as_test(Claims, settings=SEARCH)
        assert (+seen).keys() >= REACHED

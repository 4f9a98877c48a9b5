"""What the crash tests share."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from pytest_django import Settings

from tests.crash.trial.effects import drop_table, make_table


@pytest.fixture
def trial(settings: Settings, transactional_db: None) -> Iterator[str]:  # noqa: ARG001 - opens the database
    """Put the trials' subscriptions in the project's place; yield the settings module that their processes need."""
    settings.OUTBOX_SUBSCRIPTIONS = "tests.crash.trial.subscriptions.SUBSCRIPTIONS"
    make_table()
    yield "tests.crash.trial.settings"
    drop_table()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IO[str]]:
    """Open a file for what a worker prints, which may be much."""
    with (tmp_path / "worker.log").open("w") as log:
        yield log

"""The project's settings with the trials' subscription table, for the processes that the trials start."""

from tickets_project.settings import *  # noqa: F403

OUTBOX_SUBSCRIPTIONS = "tests.crash.trial.subscriptions.SUBSCRIPTIONS"

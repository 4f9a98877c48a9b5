"""The project's settings with the trials' subscription table, for the processes that the trials start."""

import os

from tickets_project.settings import *  # noqa: F403
from tickets_project.settings import Q_CLUSTER

OUTBOX_SUBSCRIPTIONS = "tests.crash.trial.subscriptions.SUBSCRIPTIONS"
# Processes that stay free beside the one that always does.
Q_CLUSTER["workers"] += int(os.environ.get("TRIAL_IDLE_WORKERS", "0"))

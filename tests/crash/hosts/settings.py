"""The trials' settings, with a handler that stalls."""

import os

from tests.crash.trial.settings import *  # noqa: F403
from tests.crash.trial.settings import Q_CLUSTER

OUTBOX_SUBSCRIPTIONS = "tests.crash.hosts.stalling.SUBSCRIPTIONS"
SECRET_KEY = "shared by all hosts"
# django-q2 looks at its schedules when its guard has slept for half a minute: with 30, it looks before it first sleeps.
Q_CLUSTER["guard_cycle"] = float(os.environ.get("GUARD_CYCLE", "0.5"))

"""The project's settings with the benchmarks' subscription table."""

from tickets_project.settings import *  # noqa: F403
from tickets_project.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench"]
OUTBOX_SUBSCRIPTIONS = "bench.subscriptions.SUBSCRIPTIONS"

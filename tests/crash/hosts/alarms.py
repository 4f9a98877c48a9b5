"""Schedules that leave a row each time they run."""

from collections import Counter
from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule

from tests.crash.trial.effects import effects

# A worker with this looks at the schedules as soon as it starts, and every half a minute.
LOOKING_AT_ONCE = {"GUARD_CYCLE": "30"}


def set_alarms(count: int) -> None:
    """Make schedules, which are due now."""
    for number in range(count):
        Schedule.objects.create(
            func="tests.crash.trial.effects.take_effect",
            args=("alarm", number),
            schedule_type=Schedule.MINUTES,
            minutes=1440,
            next_run=timezone.now(),
        )


def let_alarms_fall_due() -> None:
    """Pretend that their time has come again."""
    Schedule.objects.filter(func__contains="take_effect").update(next_run=timezone.now() - timedelta(seconds=1))


def alarms() -> Counter[int]:
    """Return how often each has gone off."""
    return effects("alarm")

"""Redis stops, or hangs, beneath the workers, which go on without it, and with it when it is back."""

import logging
from collections.abc import Callable
from time import monotonic

import pytest

from tests.crash.hosts.alarms import LOOKING_AT_ONCE, alarms, let_alarms_fall_due, set_alarms
from tests.crash.hosts.forms import IN_FULL, in_full_only
from tests.crash.hosts.installation import DISPATCHERS, Installation
from tests.crash.hosts.network import Host
from tests.crash.hosts.services import SharedRedis
from tests.crash.trial.effects import effects, seconds_until_effect
from tests.crash.trial.messages import NotedV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tests.processes import eventually
from tickets_project.outbox.models import Dispatcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]

ALARMS, NOTES = 3, 100
DELIVERED_WITHIN = 5
"""A hundredth of it, but for a machine that has much else to do."""

log = logging.getLogger(__name__)


def see_dispatchers_replaced(host: Host) -> None:
    """Kill the dispatchers of a host: their successors are asked for through the broker."""
    killed_at = monotonic()
    killed = list(Dispatcher.objects.filter(host=host.name).values_list("pid", flat=True))
    assert len(killed) == DISPATCHERS
    assert host.start("kill", "-KILL", *map(str, killed)).wait() == 0
    new = Dispatcher.objects.filter(host=host.name).exclude(pid__in=killed)
    eventually(lambda: new.count() == DISPATCHERS, seconds=40)
    log.info("dispatchers replaced after %.1f s", monotonic() - killed_at)


def see_noted(numbers: range, *, when: str) -> None:
    """Publish, and see it delivered no later than ever."""
    publish_at_once(*(NotedV1(number=number) for number in numbers))
    eventually(all_delivered, seconds=20)
    slowest = max(
        max(seconds_until_effect(handler, NotedV1.NAME, numbers)) for handler in ("trial.note", "trial.note_too")
    )
    log.info("%s: %d messages delivered within %.2f s", when, len(numbers), slowest)
    assert slowest < DELIVERED_WITHIN


def see_alarms_go_off_again() -> None:
    let_alarms_fall_due()
    # They are looked at every half a minute.
    eventually(lambda: alarms().total() >= 2 * ALARMS, seconds=60)
    assert alarms() == dict.fromkeys(range(ALARMS), 2)


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
@pytest.mark.parametrize(
    ("go", "come_back"),
    [
        pytest.param(SharedRedis.stop, SharedRedis.start, id="stopped"),
        pytest.param(SharedRedis.hang, SharedRedis.go_on, id="hung", marks=in_full_only),
    ],
)
class TestRedis:
    def test_may_go_and_come_back(
        self,
        installation: Installation,
        shared_redis: SharedRedis,
        go: Callable[[SharedRedis], None],
        come_back: Callable[[SharedRedis], None],
    ) -> None:
        [alpha] = installation.hosts("alpha")
        go(shared_redis)
        see_noted(range(NOTES), when="just gone")
        see_dispatchers_replaced(alpha)
        set_alarms(ALARMS)
        # A worker begins without it too, and runs what is due.
        [beta] = installation.hosts("beta", **LOOKING_AT_ONCE)
        eventually(lambda: alarms() == dict.fromkeys(range(ALARMS), 1), seconds=40)
        see_noted(range(NOTES, 2 * NOTES), when="away")
        come_back(shared_redis)
        back_at = monotonic()
        eventually(lambda: shared_redis.clients() >= {alpha.address, beta.address}, seconds=30)
        log.info("used again after %.1f s", monotonic() - back_at)
        see_dispatchers_replaced(alpha)
        see_noted(range(2 * NOTES, 3 * NOTES), when="back")
        if IN_FULL:
            see_alarms_go_off_again()
        assert effects("trial.note") == effects("trial.note_too") == dict.fromkeys(range(3 * NOTES), 1)

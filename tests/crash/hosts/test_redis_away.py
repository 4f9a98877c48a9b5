"""Redis stops, or hangs, beneath the workers, which go on without it, and with it when it is back."""

from collections.abc import Callable

import pytest

from tests.crash.hosts.alarms import LOOKING_AT_ONCE, alarms, let_alarms_fall_due, set_alarms
from tests.crash.hosts.installation import DISPATCHERS, Installation
from tests.crash.hosts.network import Host
from tests.crash.hosts.services import SharedRedis
from tests.crash.trial.effects import effects
from tests.crash.trial.messages import NotedV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tests.processes import eventually
from tickets_project.outbox.models import Dispatcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]


def see_dispatchers_replaced(host: Host) -> None:
    """Kill the dispatchers of a host: their successors are asked for through the broker."""
    killed = list(Dispatcher.objects.filter(host=host.name).values_list("pid", flat=True))
    assert len(killed) == DISPATCHERS
    assert host.start("kill", "-KILL", *map(str, killed)).wait() == 0
    new = Dispatcher.objects.filter(host=host.name).exclude(pid__in=killed)
    eventually(lambda: new.count() == DISPATCHERS, seconds=40)


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
@pytest.mark.parametrize(
    ("go", "come_back"),
    [(SharedRedis.stop, SharedRedis.start), (SharedRedis.hang, SharedRedis.go_on)],
    ids=["stopped", "hung"],
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
        see_dispatchers_replaced(alpha)
        set_alarms(3)
        # A worker begins without it too, and runs what is due.
        [beta] = installation.hosts("beta", **LOOKING_AT_ONCE)
        eventually(lambda: alarms() == dict.fromkeys(range(3), 1), seconds=40)
        publish_at_once(*(NotedV1(number=number) for number in range(100)))
        eventually(all_delivered, seconds=20)
        come_back(shared_redis)
        eventually(lambda: shared_redis.clients() >= {alpha.address, beta.address}, seconds=30)
        see_dispatchers_replaced(alpha)
        let_alarms_fall_due()
        # They are looked at every half a minute.
        eventually(lambda: alarms().total() >= 6, seconds=60)
        assert alarms() == dict.fromkeys(range(3), 2)
        assert effects("trial.note") == effects("trial.note_too") == dict.fromkeys(range(100), 1)

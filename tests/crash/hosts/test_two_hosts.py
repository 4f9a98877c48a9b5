"""Two hosts with a worker each share a database and a broker: each thing is done once, whichever of them is lost."""

import logging
import signal
from collections.abc import Callable
from time import monotonic
from uuid import UUID

import pytest

from tests.crash.hosts.alarms import LOOKING_AT_ONCE, alarms, let_alarms_fall_due, set_alarms
from tests.crash.hosts.forms import BROKERS, LOSSES, in_full_only
from tests.crash.hosts.installation import (
    CONTAINER,
    Installation,
    delivered_by,
    dispatchers_of,
    in_hand_of,
    newest_delivery,
)
from tests.crash.hosts.network import Host
from tests.crash.trial.effects import effects
from tests.crash.trial.messages import NotedV1, PaidV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tests.processes import eventually
from tickets_project.gateway import payments
from tickets_project.outbox.models import Dispatcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(1800)]

NOTES, PAYMENTS, ALARMS = 400, 300, 20
TAKEN_UP_WITHIN = 15
"""What was in hand of a host that is lost is due again when the leases end, ten seconds later at the most."""

log = logging.getLogger(__name__)


@pytest.fixture
def slow_payments(fault: Callable[..., None]) -> None:
    """Have every payment take a while, so that some are under way at any moment."""
    fault("payments.refund", count=None, share=1, delay_ms=500)


def publish_work(number: int = 0) -> int:
    """Publish the work of this number; return the newest delivery before it."""
    before = newest_delivery()
    publish_at_once(
        *(PaidV1(number=payment) for payment in range(number * PAYMENTS, (number + 1) * PAYMENTS)),
        *(NotedV1(number=note) for note in range(number * NOTES, (number + 1) * NOTES)),
    )
    return before


def see_both_deliver(before: int) -> None:
    """Wait until each host has delivered some of what was published after this delivery."""
    eventually(lambda: all(delivered_by(after=before, host=name) for name in ("alpha", "beta")), seconds=30)


def assert_each_done_once(works: int = 1) -> None:
    """Each effect came once here, and once at the service, which judges by its own keys."""
    notes, payments_made = range(works * NOTES), range(works * PAYMENTS)
    assert effects("trial.note") == effects("trial.note_too") == dict.fromkeys(notes, 1)
    assert effects("trial.pay") == dict.fromkeys(payments_made, 1)
    paid = sorted(refund.payment_reference for refund in payments.refunds())
    assert paid == sorted(f"trial:{number}" for number in payments_made)


def lose(host: Host) -> list[int]:
    """Kill all that runs on it while it works; return what it had in hand."""
    eventually(lambda: in_hand_of(host=host.name))
    host.kill_all()
    held = in_hand_of(host=host.name)
    assert held
    return held


def see_taken_up(held: list[int], lost: list[UUID], *, lost_at: float) -> None:
    """Wait until others have it all in hand, or done, and until everything is."""
    eventually(lambda: not in_hand_of(id__in=lost), seconds=60)
    taken_up_after = monotonic() - lost_at
    eventually(all_delivered, seconds=60)
    done_after = monotonic() - lost_at
    log.info("%d were in hand: taken up after %.1f s, all done after %.1f s", len(held), taken_up_after, done_after)
    assert taken_up_after < TAKEN_UP_WITHIN


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
class TestTwoHosts:
    @pytest.mark.usefixtures("slow_payments")
    def test_share_the_work_and_one_finishes_what_the_other_leaves(self, installation: Installation) -> None:
        alpha, _ = installation.hosts("alpha", "beta")
        for number in range(LOSSES):
            see_both_deliver(publish_work(number))
            lost = dispatchers_of(alpha)
            held, lost_at = lose(alpha), monotonic()
            if number % 2:
                # Back before its leases have ended.
                installation.run_workers(alpha)
            see_taken_up(held, lost, lost_at=lost_at)
            if not number % 2:
                installation.run_workers(alpha)
        see_both_deliver(publish_work(LOSSES))
        eventually(all_delivered, seconds=60)
        assert_each_done_once(LOSSES + 1)

    @in_full_only
    def test_run_each_schedule_once(self, installation: Installation) -> None:
        set_alarms(ALARMS)
        alpha, _ = installation.hosts("alpha", "beta", **LOOKING_AT_ONCE)
        eventually(lambda: alarms() == dict.fromkeys(range(ALARMS), 1), seconds=30)
        alpha.power_off()
        let_alarms_fall_due()
        eventually(lambda: alarms().total() >= 2 * ALARMS, seconds=60)
        assert alarms() == dict.fromkeys(range(ALARMS), 2)


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
class TestContainers:
    """They may all have the same host name and process ids, and the worker may be the first process of its own."""

    @pytest.mark.usefixtures("slow_payments")
    def test_are_not_taken_for_each_other(self, installation: Installation) -> None:
        first, second = installation.hosts("box", "box", within=CONTAINER)
        clusters = set(Dispatcher.objects.values_list("cluster", flat=True))
        assert len(clusters) == 2
        assert {cluster.rpartition(":")[0] for cluster in clusters} == {"box:1"}
        publish_work()
        eventually(lambda: all(delivered_by(cluster=cluster) for cluster in clusters))
        first.power_off()
        eventually(all_delivered, seconds=60)
        assert_each_done_once()
        # Nobody has taken the other's processes for dead ones of its own.
        assert "dispatcher died" not in installation.log_of(second)

    @in_full_only
    def test_end_when_they_are_asked_to(self, installation: Installation) -> None:
        [box] = installation.hosts("box", within=CONTAINER)
        worker, asked = installation.worker_of(box), monotonic()
        worker.send_signal(signal.SIGTERM)
        worker.wait(12)
        assert monotonic() - asked < 10
        assert not Dispatcher.objects.exists()

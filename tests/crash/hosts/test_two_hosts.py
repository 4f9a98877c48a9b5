"""Two hosts with a worker each share a database and a broker: each thing is done once, whichever of them is lost."""

import signal
from collections.abc import Callable
from time import monotonic

import pytest

from tests.crash.hosts.alarms import LOOKING_AT_ONCE, alarms, let_alarms_fall_due, set_alarms
from tests.crash.hosts.installation import CONTAINER, Installation, delivered_by, in_hand_of
from tests.crash.trial.effects import effects
from tests.crash.trial.messages import NotedV1, PaidV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tests.processes import eventually
from tickets_project.gateway import payments
from tickets_project.outbox.models import Dispatcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]

NOTES, PAYMENTS, ALARMS = 400, 300, 20


@pytest.fixture
def slow_payments(fault: Callable[..., None]) -> None:
    """Have every payment take a while, so that some are under way at any moment."""
    fault("payments.refund", count=None, share=1, delay_ms=500)


def publish_work() -> None:
    publish_at_once(
        *(PaidV1(number=number) for number in range(PAYMENTS)), *(NotedV1(number=number) for number in range(NOTES))
    )


def assert_each_done_once() -> None:
    """Each effect came once here, and once at the service, which judges by its own keys."""
    assert effects("trial.note") == effects("trial.note_too") == dict.fromkeys(range(NOTES), 1)
    assert effects("trial.pay") == dict.fromkeys(range(PAYMENTS), 1)
    paid = sorted(refund.payment_reference for refund in payments.refunds())
    assert paid == sorted(f"trial:{number}" for number in range(PAYMENTS))


@pytest.mark.parametrize("broker", ["orm", "redis"], indirect=True)
class TestTwoHosts:
    @pytest.mark.usefixtures("slow_payments")
    def test_share_the_work_and_one_finishes_what_the_other_leaves(self, installation: Installation) -> None:
        alpha, _ = installation.hosts("alpha", "beta")
        publish_work()
        eventually(lambda: delivered_by(host="alpha") and delivered_by(host="beta") and in_hand_of(host="alpha"))
        alpha.power_off()
        switched_off_at = monotonic()
        assert in_hand_of(host="alpha")
        eventually(lambda: not in_hand_of(host="alpha"), seconds=60)
        assert monotonic() - switched_off_at < 15
        eventually(all_delivered, seconds=60)
        assert_each_done_once()

    def test_run_each_schedule_once(self, installation: Installation) -> None:
        set_alarms(ALARMS)
        alpha, _ = installation.hosts("alpha", "beta", **LOOKING_AT_ONCE)
        eventually(lambda: alarms() == dict.fromkeys(range(ALARMS), 1), seconds=30)
        alpha.power_off()
        let_alarms_fall_due()
        eventually(lambda: alarms().total() >= 2 * ALARMS, seconds=60)
        assert alarms() == dict.fromkeys(range(ALARMS), 2)


class TestContainers:
    """They may all have the same host name and process ids, and the worker may be the first process of its own."""

    @pytest.mark.parametrize("broker", ["redis"], indirect=True)
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

    @pytest.mark.parametrize("broker", ["redis"], indirect=True)
    def test_end_when_they_are_asked_to(self, installation: Installation) -> None:
        [box] = installation.hosts("box", within=CONTAINER)
        worker, asked = installation.worker_of(box), monotonic()
        worker.send_signal(signal.SIGTERM)
        worker.wait(12)
        assert monotonic() - asked < 10
        assert not Dispatcher.objects.exists()

"""A host that is cut off the network says no goodbye: what it held is free soon, and it comes back by itself."""

import logging
import signal
from collections.abc import Callable
from datetime import datetime
from itertools import count
from time import monotonic

import pytest
from django.utils import timezone

from tests.crash.hosts.forms import BROKERS, in_full_only
from tests.crash.hosts.installation import Installation, connections_of, delivered_by, in_hand_of, last_delivered_at
from tests.crash.hosts.network import Host, Network
from tests.crash.hosts.stalling import StalledV1
from tests.crash.trial.effects import effects
from tests.crash.trial.messages import NotedV1, PaidV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tests.processes import eventually
from tickets_project.gateway import payments
from tickets_project.outbox.models import Delivery

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]

log = logging.getLogger(__name__)

LOCK, NOTES = 7, 50
# A connection that nobody asks for signs of life, with a lock of its own.
CARELESS = """
import os, time, psycopg
connection = psycopg.connect(os.environ["DATABASE_URL"], application_name="careless")
connection.execute("SELECT pg_advisory_lock(1)")
time.sleep(600)
"""


def stalled_alpha(installation: Installation, fault: Callable[..., None], **environment: str) -> Host:
    """Switch a host on, which stalls in a transaction with a lock, and has a call to a service under way."""
    fault("payments.refund", delay_ms=60_000)
    [alpha] = installation.hosts("alpha", **environment)
    installation.start(alpha, "-c", CARELESS)
    publish_at_once(StalledV1(number=1, lock=LOCK, host="alpha"), PaidV1(number=1))
    eventually(lambda: len(in_hand_of(host="alpha")) == 2 and connections_of(alpha, application="careless"))
    return alpha


def publish_what_needs_the_lock() -> None:
    """Publish it, and much that does not."""
    publish_at_once(StalledV1(number=2, lock=LOCK, host=""), *(NotedV1(number=number) for number in range(NOTES)))


def last_of(*handlers: str) -> datetime:
    """Return when the last delivery of these handlers was made."""
    return last_delivered_at(list(Delivery.objects.filter(handler__in=handlers).values_list("id", flat=True)))


def assert_all_is_soon_done_by_others(since: datetime) -> None:
    """What does not need the lock does not wait for it."""
    eventually(all_delivered, seconds=60)
    rest_after, taken_up_after = (
        (last_of(*handlers) - since).total_seconds()
        for handlers in (("trial.note", "trial.note_too"), ("trial.stall", "trial.pay"))
    )
    log.info("what was in hand is done after %.1f s, the rest after %.1f s", taken_up_after, rest_after)
    assert taken_up_after < 15
    assert rest_after < taken_up_after


def see_alpha_take_part_again(fault: Callable[..., None]) -> int:
    """Publish so much to pay, and so slowly, that all hosts take part; return how many payments there are now."""
    fault("payments.refund", count=None, share=1, delay_ms=500)
    back_at, before, numbers = monotonic(), delivered_by(host="alpha"), count(2)

    def takes_part() -> bool:
        publish_at_once(*(PaidV1(number=next(numbers)) for _ in range(100)))
        eventually(all_delivered, seconds=60)
        return delivered_by(host="alpha") > before

    eventually(takes_part, seconds=60)
    log.info("it takes part again after %.1f s", monotonic() - back_at)
    return next(numbers) - 1


def assert_each_done_once(*, paid: int) -> None:
    """Each effect came once here, and once at the service, which judges by its own keys."""
    assert effects("trial.pay") == dict.fromkeys(range(1, paid + 1), 1)
    references = sorted(refund.payment_reference for refund in payments.refunds())
    assert references == sorted(f"trial:{number}" for number in range(1, paid + 1))
    assert effects("trial.stall") == {1: 1, 2: 1}
    assert effects("trial.note") == effects("trial.note_too") == dict.fromkeys(range(NOTES), 1)


class TestCutOffHost:
    @pytest.mark.parametrize("broker", BROKERS, indirect=True)
    def test_loses_its_locks_and_its_work_to_the_others_and_comes_back(
        self, installation: Installation, network: Network, fault: Callable[..., None]
    ) -> None:
        alpha = stalled_alpha(installation, fault)
        installation.hosts("beta")
        cut_at = timezone.now()
        network.cut(alpha)
        publish_what_needs_the_lock()
        assert_all_is_soon_done_by_others(cut_at)
        eventually(lambda: connections_of(alpha) == 0, seconds=15)
        log.info("its connections are gone after %.1f s", (timezone.now() - cut_at).total_seconds())
        assert connections_of(alpha, application="careless") == 1
        network.mend(alpha)
        paid = see_alpha_take_part_again(fault)
        # The handler that stalled goes on too, and finds that its transaction is gone.
        eventually(lambda: '"handler": "trial.stall"' in installation.log_of(alpha), seconds=60)
        assert_each_done_once(paid=paid)

    @pytest.mark.parametrize("broker", ["orm"], indirect=True)
    def test_can_still_be_stopped(self, installation: Installation, network: Network) -> None:
        [alpha] = installation.hosts("alpha")
        worker, asked = installation.worker_of(alpha), monotonic()
        network.cut(alpha)
        worker.send_signal(signal.SIGTERM)
        worker.wait(40)
        stopped_after = monotonic() - asked
        log.info("stopped while cut off after %.1f s", stopped_after)
        # As long as docs/deploy/ gives it.
        assert stopped_after < 30


@in_full_only
class TestFrozenHost:
    @pytest.mark.parametrize("broker", ["orm"], indirect=True)
    def test_loses_them_too_though_its_kernel_answers(
        self, installation: Installation, environment: dict[str, str], fault: Callable[..., None]
    ) -> None:
        # Without it a transaction may be idle for a minute.
        impatient = f"{environment['DATABASE_URL']}?options=-c%20idle_in_transaction_session_timeout%3D10s"
        alpha = stalled_alpha(installation, fault, DATABASE_URL=impatient)
        installation.hosts("beta")
        installation.freeze(alpha)
        frozen_at = timezone.now()
        publish_what_needs_the_lock()
        assert_all_is_soon_done_by_others(frozen_at)
        installation.thaw(alpha)
        assert_each_done_once(paid=see_alpha_take_part_again(fault))

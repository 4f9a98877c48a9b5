"""The database stops, dies or cuts its connections beneath a worker at work, which goes on when it is back."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest
from django.db import connection

from tests.crash.own_server import OwnServer, Stop, own_server
from tests.crash.trial.effects import effects
from tests.crash.trial.messages import NotedV1, PaidV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tests.processes import eventually, running, worker
from tickets_project.gateway import payments
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]

NOTES, PAYMENTS = 1000, 100
CUTS = 20
PATIENCE = 90
LEASE = {"OUTBOX_LEASE_SECONDS": "2"}

Fault = Callable[..., None]


@pytest.fixture(scope="module")
def running_server() -> Iterator[OwnServer]:
    with own_server() as server:
        yield server


@pytest.fixture(autouse=True)
def server(running_server: OwnServer, transactional_db: None) -> Iterator[OwnServer]:
    del transactional_db
    with running_server.in_place():
        yield running_server


@pytest.fixture(autouse=True)
def _gateway(simulator: Simulator) -> None:
    del simulator


def said(log: IO[str], words: str) -> bool:
    return words in Path(log.name).read_text()


def publish_numbers(begin: int, end: int) -> None:
    """Publish notes and payments, the latter in the share that they have of all."""
    publish_at_once(
        *(NotedV1(number=number) for number in range(begin, end)),
        *(PaidV1(number=number) for number in range(begin, end, NOTES // PAYMENTS)),
    )


def assert_each_once(end: int) -> None:
    """Each effect came once here, and once at the service, which judges by its own keys."""
    once = dict.fromkeys(range(end), 1)
    assert effects("trial.note") == effects("trial.note_too") == once
    assert effects("trial.pay") == dict.fromkeys(range(0, end, NOTES // PAYMENTS), 1)
    paid = Counter(refund.payment_reference for refund in payments.refunds())
    assert paid == {f"trial:{number}": 1 for number in range(0, end, NOTES // PAYMENTS)}


def cut_connections() -> int:
    """Cut all connections to the database but this one; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def delivered() -> float:
    """Return the share of the deliveries that are made."""
    return Delivery.objects.filter(status=Status.DELIVERED).count() / Delivery.objects.count()


class TestStop:
    @pytest.mark.parametrize("how", Stop, ids=lambda how: how.name.lower())
    def test_is_survived_without_a_hand(
        self, server: OwnServer, trial: str, fault: Fault, log: IO[str], how: Stop
    ) -> None:
        # So that calls are under way at that moment.
        fault("payments.refund", count=None, share=1, delay_ms=300)
        with worker(output=log, DJANGO_SETTINGS_MODULE=trial, **LEASE) as supervisor:
            publish_numbers(0, NOTES)
            eventually(lambda: effects("trial.note"))
            with server.away(how):
                eventually(lambda: said(log, "database away"), seconds=20)
            assert not all_delivered()
            publish_numbers(NOTES, 2 * NOTES)
            eventually(all_delivered, seconds=PATIENCE)
            assert supervisor.poll() is None
        assert_each_once(2 * NOTES)

    def test_does_not_keep_a_worker_from_starting(self, server: OwnServer, trial: str, log: IO[str]) -> None:
        publish_numbers(0, NOTES)
        with ExitStack() as stack:
            with server.away(Stop.FAST):
                stack.enter_context(running("run_worker", output=log, DJANGO_SETTINGS_MODULE=trial, **LEASE))
                eventually(lambda: said(log, "cluster died"), seconds=60)
            eventually(all_delivered, seconds=PATIENCE)
        assert_each_once(NOTES)


class TestConnections:
    def test_may_be_cut_again_and_again(self, trial: str, fault: Fault, log: IO[str]) -> None:
        fault("payments.refund", count=None, share=1, delay_ms=100)
        cut = 0
        with worker(output=log, DJANGO_SETTINGS_MODULE=trial, **LEASE):
            publish_numbers(0, NOTES)
            for share in range(CUTS):
                eventually(lambda: delivered() > share / CUTS, seconds=PATIENCE)  # noqa: B023 - called at once
                cut += cut_connections()
            eventually(all_delivered, seconds=PATIENCE)
        assert cut > 2 * CUTS
        assert_each_once(NOTES)

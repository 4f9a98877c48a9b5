"""The worker as a real process: who takes over what another has left."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from bookings.models import Ticket
from tests.factories import ShowFactory, confirmed_booking
from tests.processes import cluster_processes, eventually, running, session_of, worker
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Dispatcher, Status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]


@pytest.fixture(autouse=True)
def _gateway(simulator: Simulator) -> None:
    del simulator


def book(seats: int = 5) -> None:
    confirmed_booking(show=ShowFactory.create(number_of_tickets=1000, price_amount=Decimal(1)), seats=seats)


def all_printed() -> bool:
    return not Ticket.objects.filter(printed_at=None).exists()


def all_delivered() -> bool:
    """Tell whether all is done; a sheet's row whose first attempt was killed waits until that cannot append it."""
    return all_printed() and not Delivery.objects.exclude(status=Status.DELIVERED).exists()


def dispatcher_pids() -> set[int]:
    return set(Dispatcher.objects.values_list("pid", flat=True))


def assert_each_printed_once(calls: Callable[..., list[dict[str, Any]]], tickets: int) -> None:
    stored = [call["path"] for call in calls("files.put") if call["status"] == 201]
    assert len(stored) == len(set(stored)) == tickets
    assert all_delivered()


class TestKill:
    def test_of_a_supervisor_that_has_just_begun_ends_the_cluster_too(self) -> None:
        with running("run_worker") as supervisor:
            eventually(lambda: cluster_processes(supervisor), seconds=30)
            main = cluster_processes(supervisor)[0].pid
            supervisor.kill()
            eventually(lambda: not session_of(main), seconds=20)

    def test_of_a_worker_with_a_claim_frees_it_for_the_next(self) -> None:
        book(1)
        Delivery.objects.update(
            claimed_by="00000000-0000-4000-8000-000000000001",
            claimed_until=timezone.now() + timedelta(seconds=3),
            available_at=timezone.now() + timedelta(seconds=3),
            attempts=1,
        )
        with worker():
            eventually(all_printed, seconds=15)
        assert Delivery.objects.get(handler="printing.print_ticket").attempts == 2


class TestDatabase:
    def test_may_cut_every_connection(self, calls: Callable[..., list[dict[str, Any]]]) -> None:
        with worker():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            book()
            eventually(all_delivered, seconds=40)
        assert_each_printed_once(calls, 5)


class TestTwoWorkers:
    def test_share_the_work_and_do_each_thing_once(self, calls: Callable[..., list[dict[str, Any]]]) -> None:
        with worker(), worker():
            eventually(lambda: len(dispatcher_pids()) == 4, seconds=30)
            for _ in range(5):
                book(10)
            eventually(all_delivered, seconds=40)
            assert Dispatcher.objects.values("cluster").distinct().count() == 2
        assert_each_printed_once(calls, 50)

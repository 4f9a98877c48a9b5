"""The worker as a real process: how it stops, and what a kill leaves."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

import psutil
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


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_leaves_no_process_behind(self, number: signal.Signals) -> None:
        with worker() as supervisor:
            processes = cluster_processes(supervisor)
            assert len(processes) > 4
            asked = monotonic()
            supervisor.send_signal(number)
            supervisor.wait(12)
            assert monotonic() - asked < 10
            assert supervisor.returncode == 0
        assert not any(process.is_running() for process in processes)
        assert not Dispatcher.objects.exists()

    def test_works_when_its_whole_group_is_signalled(self) -> None:
        with worker() as supervisor:
            processes = cluster_processes(supervisor)
            os.killpg(supervisor.pid, signal.SIGTERM)
            supervisor.wait(12)
        assert not any(process.is_running() for process in processes)

    def test_finishes_the_work_in_hand(self, fault: Callable[..., None]) -> None:
        fault("files.put", delay_ms=1500)
        book(1)
        with worker() as supervisor:
            eventually(Delivery.objects.filter(claimed_by__isnull=False).exists)
            supervisor.send_signal(signal.SIGTERM)
            supervisor.wait(12)
        assert Delivery.objects.get(handler="printing.print_ticket").status == Status.DELIVERED


class TestKill:
    def test_of_a_dispatcher_is_made_good(self, calls: Callable[..., list[dict[str, Any]]]) -> None:
        with worker():
            eventually(lambda: len(dispatcher_pids()) == 2)
            killed = dispatcher_pids()
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            book()
            eventually(all_delivered, seconds=40)
            eventually(lambda: len(dispatcher_pids() - killed) == 2, seconds=15)
        assert_each_printed_once(calls, 5)

    def test_of_the_main_process_is_made_good(self, calls: Callable[..., list[dict[str, Any]]]) -> None:
        with worker() as supervisor:
            old = cluster_processes(supervisor)
            old[0].kill()
            book()
            eventually(all_delivered, seconds=40)
            eventually(lambda: not any(process.is_running() for process in old), seconds=15)
        assert_each_printed_once(calls, 5)

    def test_of_the_whole_cluster_is_made_good(self, calls: Callable[..., list[dict[str, Any]]]) -> None:
        with worker() as supervisor:
            os.killpg(cluster_processes(supervisor)[0].pid, signal.SIGKILL)
            book()
            eventually(all_delivered, seconds=40)
        assert_each_printed_once(calls, 5)

    def test_of_the_supervisor_ends_the_cluster(self) -> None:
        with worker() as supervisor:
            processes = cluster_processes(supervisor)
            supervisor.kill()
            gone, alive = psutil.wait_procs(processes, timeout=15)
            assert len(gone) > 4
            assert alive == []

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

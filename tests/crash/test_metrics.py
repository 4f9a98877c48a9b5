"""What a worker that is killed has counted."""

import os
import signal
import socket
from functools import partial
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.factories import ShowFactory, confirmed_booking
from tests.processes import eventually, worker
from tests.tickets_project.metrics.numbers import number, sample, total
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Dispatcher, Status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]


@pytest.fixture(autouse=True)
def _gateway(simulator: Simulator) -> None:
    del simulator


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def book() -> None:
    confirmed_booking(show=ShowFactory.create(), seats=2)


def all_delivered() -> bool:
    return not Delivery.objects.exclude(status=Status.DELIVERED).exists()


def kill_the_dispatchers() -> None:
    killed = set(Dispatcher.objects.values_list("pid", flat=True))
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    eventually(Dispatcher.objects.exclude(pid__in=killed).exists, seconds=20)


def nobody() -> None:
    """Kill nobody."""


class TestWorker:
    def test_shows_each_delivery_once_though_its_dispatchers_were_killed(
        self, port: int, settings: Settings, tmp_path: Path, http: requests.Session
    ) -> None:
        settings.METRICS_DIR = tmp_path / "metrics"
        with worker(METRICS_PORT=str(port), METRICS_DIR=str(settings.METRICS_DIR)):
            for kill in (kill_the_dispatchers, kill_the_dispatchers, kill_the_dispatchers, nobody):
                book()
                eventually(all_delivered, seconds=40)
                delivered = Delivery.objects.count()
                # The last are counted when they are committed already.
                eventually(partial(self.shows, delivered, http, port))
                kill()
            page = self.page(http, port)
        assert total(page, "messages_processed_total") == delivered
        assert total(page, "messages_processing_duration_seconds_count") == delivered
        printed = {"topic": "TicketBookingConfirmed_v1", "handler": "printing.print_ticket"}
        assert sample(page, "messages_processed_total", **printed) == 8
        assert total(page, "messages_processing_failed_total") == 0
        # A web server of this host shows the same.
        assert number("messages_processed_total", **printed) == 8

    def shows(self, delivered: int, http: requests.Session, port: int) -> bool:
        return total(self.page(http, port), "messages_processed_total") >= delivered

    def page(self, http: requests.Session, port: int) -> str:
        return http.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text

    def test_says_that_its_port_is_taken(self, settings: Settings) -> None:
        with socket.create_server(("", 0)) as listener:
            settings.METRICS_PORT = listener.getsockname()[1]
            with pytest.raises(CommandError, match=r"^METRICS_PORT \d+ is not to be had: Address already in use\.$"):
                call_command("run_worker")

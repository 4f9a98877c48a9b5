"""Stopping a worker with work in hand, in each way: it finishes that in time, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

import pytest
import requests
from django.conf import settings

from tests.crash import terminal
from tests.crash.trial.books import Books
from tests.crash.trial.hands import take_in_hand
from tests.crash.trial.publishing import all_delivered
from tests.journeys.bundles import Gateway
from tests.processes import cluster_processes, eventually, session_of, worker
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Dispatcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

STOPS_WITHIN = 10

PATIENCE = 60
"""Seconds for what has no limit: a machine may have much else to do."""

Supervisor = subprocess.Popen[str]


def twice(number: signal.Signals) -> Callable[[Supervisor], None]:
    def ask(supervisor: Supervisor) -> None:
        supervisor.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            supervisor.wait(0.5)
        supervisor.send_signal(number)

    return ask


ASKED: dict[str, tuple[Sequence[str], Callable[[Supervisor], None]]] = {
    "by SIGTERM": ((), lambda supervisor: supervisor.send_signal(signal.SIGTERM)),
    "by SIGTERM to its group": ((), lambda supervisor: os.killpg(supervisor.pid, signal.SIGTERM)),
    "by SIGINT": ((), lambda supervisor: supervisor.send_signal(signal.SIGINT)),
    "by SIGINT to its group": ((), lambda supervisor: os.killpg(supervisor.pid, signal.SIGINT)),
    "by Ctrl-C at a terminal": ((sys.executable, terminal.__file__), lambda shell: shell.send_signal(signal.SIGTERM)),
    "by SIGINT twice": ((), twice(signal.SIGINT)),
}


@pytest.fixture
def gateway(simulator: Simulator, http: requests.Session) -> Gateway:
    return Gateway(simulator, http)


def sessions_of(supervisor: Supervisor) -> set[int]:
    return {os.getsid(process.pid) for process in cluster_processes(supervisor)}


class TestStop:
    @pytest.mark.parametrize(("through", "ask"), ASKED.values(), ids=ASKED)
    def test_finishes_the_work_in_hand_and_leaves_no_process(
        self, trial: str, gateway: Gateway, through: Sequence[str], ask: Callable[[Supervisor], None]
    ) -> None:
        books = Books()
        with worker(through=through, DJANGO_SETTINGS_MODULE=trial) as supervisor:
            take_in_hand(books, gateway)
            sessions = sessions_of(supervisor)
            asked_at = monotonic()
            ask(supervisor)
            assert supervisor.wait(PATIENCE) == 0
            assert monotonic() - asked_at < STOPS_WITHIN
        assert not any(session_of(leader) for leader in sessions)
        assert not Dispatcher.objects.exists()
        assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
        books.assert_balance()

    def test_waits_for_the_longest_call(self, trial: str, gateway: Gateway) -> None:
        books = Books()
        with worker(DJANGO_SETTINGS_MODULE=trial) as supervisor:
            take_in_hand(books, gateway, seconds=settings.GATEWAY_TIMEOUTS[1] - 0.5)
            asked_at = monotonic()
            supervisor.send_signal(signal.SIGTERM)
            assert supervisor.wait(PATIENCE) == 0
            assert monotonic() - asked_at < STOPS_WITHIN
        assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
        books.assert_balance()

    def test_of_every_process_at_once_ends_in_time_and_loses_nothing(self, trial: str, gateway: Gateway) -> None:
        books = Books()
        with worker(DJANGO_SETTINGS_MODULE=trial) as supervisor:
            take_in_hand(books, gateway)
            sessions = sessions_of(supervisor)
            asked_at = monotonic()
            # As an init system does that is not told to leave this to the main process.
            for pid in [supervisor.pid, *(process.pid for process in cluster_processes(supervisor))]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            assert supervisor.wait(PATIENCE) == 0
            assert monotonic() - asked_at < STOPS_WITHIN
        assert not any(session_of(leader) for leader in sessions)
        with worker(DJANGO_SETTINGS_MODULE=trial):
            eventually(all_delivered, seconds=PATIENCE)
        books.assert_balance()

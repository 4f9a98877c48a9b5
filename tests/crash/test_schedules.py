"""The schedules in the real worker: what a kill in the middle of a run leaves for the next."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import Schedule

from bookings.models import Ticket
from tests.bookings.due import active_tickets, told
from tests.processes import cluster_processes, eventually, worker
from tickets_project.audit.models import AuditEntry
from tickets_project.gateway.simulator.server import Simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]

TICKETS = 300
PATIENCE = 90
"""Seconds: a machine may have much else to do."""

# django-q2 looks at its schedules when its guard has slept for half a minute: this one looks before it first sleeps.
SETTINGS = """
from tickets_project.settings import *
Q_CLUSTER = {**Q_CLUSTER, "guard_cycle": 30}
"""


@pytest.fixture
def at_once(tmp_path: Path, simulator: Simulator) -> dict[str, str]:
    """Return the environment of a worker that runs what is due as soon as it starts."""
    del simulator
    (tmp_path / "settings_at_once.py").write_text(SETTINGS)
    return {"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "settings_at_once"}


def expired() -> int:
    return Ticket.objects.filter(status="expired").count()


def test_does_each_row_once_when_it_is_killed_midway(at_once: dict[str, str], tmp_path: Path) -> None:
    tickets = active_tickets(TICKETS, until=timezone.now())
    schedule = Schedule.objects.filter(func="bookings.schedules.expire_tickets_now")
    with (tmp_path / "worker.log").open("w") as log, worker(output=log, **at_once) as supervisor:
        eventually(lambda: expired() > 50, seconds=PATIENCE)
        os.killpg(cluster_processes(supervisor)[0].pid, signal.SIGKILL)
        done = expired()
        assert 0 < done < TICKETS
        # A minute is over.
        assert schedule.update(next_run=timezone.now() - timedelta(seconds=1)) == 1
        eventually(lambda: expired() == TICKETS, seconds=PATIENCE)
    assert sorted(told("ticket.expired")) == sorted(str(ticket.id) for ticket in tickets)
    assert AuditEntry.objects.filter(action="ticket_expired", by="schedule").count() == TICKETS

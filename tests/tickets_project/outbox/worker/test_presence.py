"""Who is at work, and what becomes of the dead."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.factories import DeliveryFactory
from tests.working import claim_due
from tickets_project.outbox.models import Dispatcher
from tickets_project.outbox.worker.presence import CLUSTER, Presence, at_work, cluster_name, release_dead_dispatchers

pytestmark = pytest.mark.django_db(transaction=True)


def dispatcher(**fields: Any) -> Dispatcher:
    here = {"id": uuid4(), "cluster": "here", "host": socket.gethostname(), "pid": os.getpid()}
    return Dispatcher.objects.create(**here | fields)


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


class TestAtWork:
    def test_counts_those_heard_of_lately(self) -> None:
        lately = dispatcher()
        dispatcher(seen_at=timezone.now() - timedelta(minutes=1))
        assert list(at_work()) == [lately]


class TestReleaseDeadDispatchers:
    def test_frees_what_a_dead_process_held(self, dead_pid: int) -> None:
        dead = dispatcher(pid=dead_pid)
        row = DeliveryFactory.create()
        claim_due(dispatcher=dead.id)
        assert release_dead_dispatchers("here") == set()
        row.refresh_from_db()
        assert (row.claimed_by, row.attempts) == (None, 1)
        assert not Dispatcher.objects.exists()

    def test_leaves_the_living(self) -> None:
        alive, other_user = dispatcher(), dispatcher(pid=1)
        silent = dispatcher(seen_at=timezone.now() - timedelta(minutes=1))
        assert release_dead_dispatchers("here") == {alive.id, other_user.id}
        assert set(Dispatcher.objects.all()) == {alive, other_user, silent}

    def test_leaves_other_clusters(self, dead_pid: int) -> None:
        elsewhere = dispatcher(cluster="there", pid=dead_pid)
        assert release_dead_dispatchers("here") == set()
        assert list(Dispatcher.objects.all()) == [elsewhere]


class TestPresence:
    def test_is_there_as_long_as_the_block(self) -> None:
        with Presence(uuid4(), cluster="here", places=1, lease=timedelta(seconds=10), in_hand=list):
            assert Dispatcher.objects.get().pid == os.getpid()
        assert not Dispatcher.objects.exists()

    def test_forgets_who_is_long_silent(self) -> None:
        dispatcher(cluster="there", seen_at=timezone.now() - timedelta(minutes=10))
        silent = dispatcher(cluster="there", seen_at=timezone.now() - timedelta(minutes=1))
        with Presence(uuid4(), cluster="here", places=1, lease=timedelta(seconds=10), in_hand=list):
            pass
        assert list(Dispatcher.objects.all()) == [silent]


class TestClusterName:
    def test_is_the_supervisors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(CLUSTER, "here")
        assert cluster_name() == "here"

    def test_is_that_of_the_parent_without_one(self) -> None:
        assert cluster_name() == f"{socket.gethostname()}:{os.getppid()}"

"""Whether the process is up, and whether the installation can work."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, RequestFactory
from django.utils import timezone

from tickets_project import health
from tickets_project.outbox.models import Dispatcher

ALL_OK = {"database": "ok", "migrations": "ok", "worker": "ok"}


def heard_of_a_worker(*, seconds_ago: int = 0) -> None:
    seen_at = timezone.now() - timedelta(seconds=seconds_ago)
    Dispatcher.objects.create(id=uuid4(), cluster="here", host="here", pid=1, seen_at=seen_at)


def ready() -> Any:
    return Client().get("/health/ready")


class TestLive:
    def test_needs_no_database(self) -> None:
        response = Client().get("/health/live")
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        assert "no-store" in response.headers["Cache-Control"]

    def test_answers_both_slash_forms(self) -> None:
        assert Client().get("/health/live/").status_code == 200

    def test_is_only_read(self) -> None:
        assert Client().post("/health/live").status_code == 405


@pytest.mark.django_db
class TestReady:
    def test_is_200_when_all_is_there(self) -> None:
        heard_of_a_worker(seconds_ago=50)
        response = ready()
        assert (response.status_code, response.json()) == (200, {"status": "ok", "checks": ALL_OK})
        assert "no-store" in response.headers["Cache-Control"]

    @pytest.mark.parametrize("silent_for", [None, 61])
    def test_misses_a_worker(self, silent_for: int | None) -> None:
        if silent_for:
            heard_of_a_worker(seconds_ago=silent_for)
        response = ready()
        assert (response.status_code, response.json()["status"]) == (503, "unavailable")
        checks = response.json()["checks"]
        assert checks == ALL_OK | {"worker": "none seen for 60 seconds: start manage.py run_worker"}

    def test_misses_a_migration(self) -> None:
        heard_of_a_worker()
        MigrationRecorder(connection).record_unapplied("printing", "0001_create_printed_tickets")
        response = ready()
        assert response.status_code == 503
        assert response.json()["checks"]["migrations"] == "1 missing: run manage.py migrate"

    def test_misses_all_migrations_of_an_empty_database(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA empty; SET search_path TO empty")
            response = ready()
            cursor.execute("SET search_path TO DEFAULT")
        assert response.status_code == 503
        checks = response.json()["checks"]
        assert (checks["database"], checks["worker"]) == ("ok", "unknown")
        assert checks["migrations"].endswith(" missing: run manage.py migrate")


def leave() -> None:
    connection.close()


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., Any]]:
    """Run something in a thread with a database connection of its own."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda work, *arguments: pool.submit(work, *arguments).result()
        pool.submit(leave).result()


def ask() -> tuple[int, bytes]:
    response = health.ready(RequestFactory().get("/health/ready"))
    return response.status_code, response.content


def move(**settings: Any) -> None:
    connection.close()
    connection.settings_dict = {**connection.settings_dict, **settings}


def server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
class TestReadyWithoutDatabase:
    def test_is_503(self, elsewhere: Callable[..., Any]) -> None:
        elsewhere(lambda: move(HOST="127.0.0.1", PORT="1", OPTIONS={}))
        status, content = elsewhere(ask)
        assert status == 503
        assert b'"database": "not reachable"' in content
        assert b"127.0.0.1" not in content

    def test_recovers_from_a_connection_that_broke(self, elsewhere: Callable[..., Any]) -> None:
        heard_of_a_worker()
        process = elsewhere(server_process)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        assert elsewhere(ask)[0] == 503
        assert elsewhere(ask)[0] == 200

"""What the clock deletes, what it leaves, and that the clock knows of it."""

from ast import literal_eval
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pydoc import locate
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from knox.models import AuthToken

from tickets_project.housekeeping import schedules
from tickets_project.housekeeping.schedules import (
    forget_abandoned_queues,
    forget_expired_tokens,
    forget_task_results,
)
from tickets_project.outbox.models import Dispatcher

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MIGRATION = import_module("tickets_project.housekeeping.migrations.0001_schedule_housekeeping")


def token(user: User, *, expiry: timedelta | None) -> str:
    made, _ = AuthToken.objects.create(user=user, expiry=None)
    AuthToken.objects.filter(pk=made.pk).update(expiry=None if expiry is None else NOW + expiry)
    return str(made.pk)


def result(*, age: timedelta) -> str:
    task_id = uuid4().hex
    times = {"started": NOW - age, "stopped": NOW - age}
    Task.objects.create(id=task_id, name=task_id, func="f", success=False, **times)
    return task_id


def queued(key: str, *, age: timedelta) -> int:
    row: OrmQ = OrmQ.objects.create(key=key, payload="", lock=NOW - age)
    return int(row.pk)


def at_work(cluster: str, *, seen: timedelta = timedelta(0)) -> None:
    Dispatcher.objects.create(id=uuid4(), cluster=cluster, host="here", pid=1, seen_at=timezone.now() - seen)


def keys(model: Any) -> set[Any]:
    return set(model.objects.values_list("pk", flat=True))


class TestForgetExpiredTokens:
    def test_deletes_those_that_have_expired(self, ada: User) -> None:
        token(ada, expiry=-SECOND)
        left = {token(ada, expiry=SECOND), token(ada, expiry=None)}
        assert forget_expired_tokens(at=NOW) == 1
        assert keys(AuthToken) == left

    def test_goes_on_past_one_batch(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(schedules, "BATCH", 2)
        for _ in range(5):
            token(ada, expiry=-DAY)
        assert forget_expired_tokens(at=NOW) == 5
        assert forget_expired_tokens(at=NOW) == 0


class TestForgetTaskResults:
    def test_deletes_those_of_tasks_that_ended_a_month_ago(self) -> None:
        result(age=30 * DAY + SECOND)
        left = {result(age=30 * DAY - SECOND), result(age=timedelta(0))}
        assert forget_task_results(at=NOW) == 1
        assert keys(Task) == left


class TestForgetAbandonedQueues:
    def test_deletes_what_waits_for_a_cluster_that_is_gone(self) -> None:
        at_work("living")
        at_work("silent", seen=HOUR)
        for gone in ("gone", "silent"):
            queued(gone, age=HOUR + SECOND)
        left = {queued("living", age=2 * HOUR), queued("beginning", age=HOUR - SECOND)}
        assert forget_abandoned_queues(at=NOW) == 2
        assert keys(OrmQ) == left

    def test_leaves_a_task_that_is_running(self) -> None:
        # What is taken is locked for longer than it may run.
        row = queued("beginning", age=-7 * timedelta(minutes=1))
        assert forget_abandoned_queues(at=NOW) == 0
        assert keys(OrmQ) == {row}


class TestTheClock:
    @pytest.fixture(autouse=True)
    def _scheduled(self) -> None:
        MIGRATION.add(apps, None)

    @pytest.fixture
    def run(self) -> Callable[[str], None]:
        """Do what a schedule does, by its name."""

        def run(name: str) -> None:
            schedule = Schedule.objects.get(name=name)
            arguments = literal_eval(schedule.args) if schedule.args else ()
            function: Any = locate(schedule.func)
            function(*(arguments if isinstance(arguments, tuple) else (arguments,)))

        return run

    def test_deletes_sessions_that_have_expired(self, run: Callable[[str], None]) -> None:
        Session.objects.create(session_key="old", expire_date=timezone.now() - SECOND)
        Session.objects.create(session_key="young", expire_date=timezone.now() + HOUR)
        run("forget expired sessions")
        assert keys(Session) == {"young"}

    def test_deletes_tokens_results_and_queues(self, run: Callable[[str], None], ada: User) -> None:
        token(ada, expiry=-DAY)
        result(age=40 * DAY)
        queued("gone", age=DAY)
        for name in ("forget expired tokens", "forget task results", "forget abandoned queues"):
            run(name)
        assert keys(AuthToken) == keys(Task) == keys(OrmQ) == set()

    def test_is_told_by_the_migration_and_forgets_it_when_that_is_undone(self) -> None:
        ours = Schedule.objects.filter(name__in=MIGRATION.SCHEDULES)
        assert ours.count() == 4
        MIGRATION.remove(apps, None)
        assert not ours.exists()
        MIGRATION.add(apps, None)
        MIGRATION.add(apps, None)
        assert {row.name: row.schedule_type for row in ours} == {
            "forget expired sessions": Schedule.DAILY,
            "forget expired tokens": Schedule.DAILY,
            "forget task results": Schedule.DAILY,
            "forget abandoned queues": Schedule.HOURLY,
        }

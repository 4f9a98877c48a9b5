"""The clock finds the bundles that have not ended in time."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from inspect import signature
from itertools import count
from pydoc import locate
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Schedule
from structlog.testing import capture_logs

from tests.factories import NOON, made_bundle, staff_act
from tests.vip_bundles.stored import audited, hear, refusing_updates, standing, stored, taxi_booked
from tickets_project.audit.models import AuditEntry
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.schedules import flag_stuck_bundles, flag_stuck_bundles_now
from vip_bundles.services import retry_step, roll_back

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DEADLINE = NOON + 15 * MINUTE


def flagged() -> set[Any]:
    return set(VipBundle.objects.exclude(stuck_at=None).values_list("id", flat=True))


class TestFlagStuckBundles:
    def test_flags_each_once_at_its_deadline(self) -> None:
        due = {made_bundle(at=NOON).id for _ in range(3)}
        later = made_bundle(at=NOON + MINUTE)
        assert [flag_stuck_bundles(at=DEADLINE + seconds * SECOND) for seconds in (-1, 0, 1)] == [0, 3, 0]
        assert flagged() == due
        assert flag_stuck_bundles(at=DEADLINE + MINUTE) == 1
        assert flagged() == {*due, later.id}

    def test_says_that_the_schedule_did_it(self) -> None:
        bundle = made_bundle(at=NOON)
        flag_stuck_bundles(at=DEADLINE)
        assert audited(bundle)[-1] == ("bundle_stuck", "", "initialized", "schedule")
        assert AuditEntry.objects.filter(action="bundle_stuck").get().at == DEADLINE

    def test_leaves_what_has_ended(self) -> None:
        for state in (State.FINALIZED, State.FAILED):
            standing(state, at=NOON)
        assert flag_stuck_bundles(at=DEADLINE) == 0

    def test_flags_again_what_was_retried_in_vain(self) -> None:
        bundle = made_bundle(at=NOON)
        assert flag_stuck_bundles(at=DEADLINE) == 1
        retry_step(vip_bundle_id=bundle.id, act=staff_act(at=DEADLINE))
        assert (flag_stuck_bundles(at=DEADLINE + 15 * MINUTE - SECOND), flagged()) == (0, set())
        assert (flag_stuck_bundles(at=DEADLINE + 15 * MINUTE), flagged()) == (1, {bundle.id})

    def test_keeps_no_flag_on_what_ends_after_all(self) -> None:
        booked, ended = standing(State.BOOKING_TAXI, at=NOON), standing(State.BOOKING_TAXI, at=NOON)
        assert flag_stuck_bundles(at=DEADLINE) == 2
        hear(taxi_booked(booked))
        roll_back(vip_bundle_id=ended.id, act=staff_act())
        assert flagged() == set()
        assert (stored(booked).state, stored(ended).state) == ("finalized", "failed")
        assert flag_stuck_bundles(at=DEADLINE + MINUTE) == 0

    def test_goes_on_where_it_was_cut_off(self) -> None:
        due = {made_bundle(at=NOON).id for _ in range(5)}
        with connection.execute_wrapper(exit_at_the_third_audit_row()), pytest.raises(SystemExit):
            flag_stuck_bundles(at=DEADLINE)
        assert len(flagged()) == 2
        assert AuditEntry.objects.filter(action="bundle_stuck").count() == 2
        assert flag_stuck_bundles(at=DEADLINE) == 3
        assert flagged() == due

    def test_logs_what_fails_and_tries_again_next_time(self) -> None:
        bundle = made_bundle(at=NOON)
        with refusing_updates("vip_bundles_vipbundle"), capture_logs() as lines:
            assert flag_stuck_bundles(at=DEADLINE) == 0
        assert [(line["event"], line["row"]) for line in lines] == [("row failed", str(bundle.id))]
        assert flag_stuck_bundles(at=DEADLINE) == 1

    def test_finds_them_in_the_index_of_what_is_late(self) -> None:
        with CaptureQueriesContext(connection) as asked:
            flag_stuck_bundles(at=DEADLINE)
        with connection.cursor() as cursor:
            # In an almost empty table every plan is cheap.
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
            )
            cursor.execute(f"EXPLAIN {asked[0]['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "vip_bundles_deadline" in plan
        assert "Sort" not in plan


def exit_at_the_third_audit_row() -> Callable[..., Any]:
    """Return what ends a run in the middle of a row, by what django-q2 ends a task that takes too long."""
    numbers = count(1)

    def execute(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "INSERT INTO" in sql and "audit_auditentry" in sql and next(numbers) == 3:
            raise SystemExit
        return execute(sql, *rest)

    return execute


class TestFlagStuckBundlesNow:
    def test_reads_the_clock(self) -> None:
        made_bundle(at=timezone.now() - 14 * MINUTE)
        flag_stuck_bundles_now()
        assert flagged() == set()
        late = made_bundle(at=timezone.now() - 15 * MINUTE)
        flag_stuck_bundles_now()
        assert flagged() == {late.id}


class TestMigration:
    def test_schedules_what_django_q_can_call(self) -> None:
        migration = import_module("vip_bundles.migrations.0003_schedule_deadlines")
        migration.add(apps, None)
        migration.add(apps, None)
        row = Schedule.objects.get(name=migration.NAME)
        run = locate(row.func)
        assert run is flag_stuck_bundles_now
        assert callable(run)
        assert not signature(run).parameters
        assert (row.schedule_type, row.minutes) == (Schedule.MINUTES, 1)

    def test_can_be_undone(self) -> None:
        migration = import_module("vip_bundles.migrations.0003_schedule_deadlines")
        migration.add(apps, None)
        other = Schedule.objects.create(name="other", func="math.sqrt")
        migration.remove(apps, None)
        assert list(Schedule.objects.filter(name__in=[migration.NAME, "other"])) == [other]

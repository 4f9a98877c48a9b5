"""What migrations set beside the tables: a schedule, and how early the queue is vacuumed."""

from importlib import import_module
from inspect import signature
from pydoc import locate

import pytest
from django.apps import apps
from django.db import connection
from django_q.models import Schedule

from tickets_project.outbox.pruning import prune_now

MIGRATION = import_module("tickets_project.outbox.migrations.0005_schedule_pruning")


@pytest.mark.django_db
class TestSchedulePruning:
    def test_is_what_prunes_every_ten_minutes(self) -> None:
        MIGRATION.add(apps, None)
        row = Schedule.objects.get(name=MIGRATION.NAME)
        run = locate(row.func)
        assert run is prune_now
        assert callable(run)
        assert not signature(run).parameters
        assert (row.schedule_type, row.minutes) == (Schedule.MINUTES, 10)

    def test_can_be_undone(self) -> None:
        MIGRATION.add(apps, None)
        MIGRATION.remove(apps, None)
        assert not Schedule.objects.filter(name=MIGRATION.NAME).exists()


@pytest.mark.django_db
class TestVacuumTheQueueEarly:
    def test_counts_dead_rows_and_no_share(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reloptions FROM pg_class WHERE oid = 'outbox_delivery'::regclass")
            [options] = cursor.fetchone()
        assert set(options) == {"autovacuum_vacuum_scale_factor=0", "autovacuum_vacuum_threshold=5000"}

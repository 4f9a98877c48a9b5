"""What a test that commits leaves for the next one: the database as it found it."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django_q.models import Schedule

from tests.as_migrated import MigratedRows
from tests.bookings.threads import once_it_waits
from tests.factories import StaffFactory, confirmed_booking
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def migrated(transactional_db: None) -> MigratedRows:  # noqa: ARG001 - opens the database
    return MigratedRows()


def stored_by_migrations() -> list[Any]:
    groups = {group.name: set(group.permissions.values_list("id", flat=True)) for group in Group.objects.all()}
    return [groups, *(list(model.objects.order_by("id").values()) for model in (Schedule, Permission))]


class TestRestore:
    def test_takes_away_what_was_stored(self, migrated: MigratedRows) -> None:
        confirmed_booking()
        migrated.restore()
        assert not any(model._default_manager.exists() for model in (User, AuditEntry, Message))

    def test_brings_back_what_was_changed_and_deleted(self, migrated: MigratedRows) -> None:
        before = stored_by_migrations()
        assert all(before)
        Schedule.objects.update(minutes=7)
        Permission.objects.all().delete()
        migrated.restore()
        assert stored_by_migrations() == before

    def test_brings_back_what_was_flushed(self, migrated: MigratedRows) -> None:
        before = stored_by_migrations()
        call_command("flush", interactive=False, verbosity=0)
        migrated.restore()
        assert stored_by_migrations() == before
        Schedule.objects.create(func="math.sqrt")

    def test_waits_for_who_has_a_transaction_open(self, migrated: MigratedRows) -> None:
        once_it_waits(StaffFactory.create, migrated.restore)
        assert not User.objects.exists()

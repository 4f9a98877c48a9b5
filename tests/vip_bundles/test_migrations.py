"""The tables of bundles: made by their migrations, all of them, and taken away again."""

import pytest
from django.core.management import call_command
from django.db import connection

from tests.factories import made_bundle
from tests.vip_bundles.stored import state_of


def of_bundles() -> set[str]:
    """Return the tables and functions of bundles."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'vip\\_bundles\\_%'"
            " UNION SELECT proname FROM pg_proc WHERE proname LIKE 'vip\\_bundles\\_%'"
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
class TestMigrations:
    def test_say_all_that_the_models_say(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)

    def test_can_be_undone_and_done_again(self) -> None:
        before = of_bundles()
        assert len(before) == 4
        call_command("migrate", "vip_bundles", "zero", verbosity=0)
        assert of_bundles() == set()
        call_command("migrate", "vip_bundles", verbosity=0)
        assert of_bundles() == before
        assert state_of(made_bundle()) == "initialized"

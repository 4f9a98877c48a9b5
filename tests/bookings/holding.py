"""Holding seats of a show with what prevents overbooking switched off."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from bookings.models import Show

CONSTRAINT = "bookings_show_not_overbooked"


def condition_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold seats whatever has become of the show since it was read."""
    anyhow = "UPDATE bookings_show SET seats_held = seats_held + %(seats)s WHERE id = %(id)s"
    monkeypatch.setattr("bookings.services.booking._HOLD_SEATS", anyhow)


@contextmanager
def constraint_off() -> Iterator[None]:
    """Let shows have more seats held than they have; those are free again before the constraint is back."""
    [kept] = [each for each in Show._meta.constraints if each.name == CONSTRAINT]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Show, kept)
    try:
        yield
    finally:
        Show.objects.update(seats_held=0)
        with connection.schema_editor() as editor:
            editor.add_constraint(Show, kept)

"""Races that happen for certain: nobody writes before everybody has read."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from django.db.models import Model
from django.db.models.signals import pre_save

from bookings.models import Show


def hold_seats_as_read(show: Show, seats: int) -> None:
    """Hold them as it should not be done: without asking again whether there is room."""
    Show.objects.filter(id=show.id).update(seats_held=show.seats_held + seats)


@contextmanager
def meeting_before_saving(model: type[Model], count: int, *, only_new: bool = False) -> Iterator[None]:
    """Let nobody save a row of the model, or one that is not stored yet, before so many are about to."""
    barrier = Barrier(count)

    def wait(*, instance: Model, **_signal: Any) -> None:
        if instance._state.adding or not only_new:
            barrier.wait(30)

    pre_save.connect(wait, sender=model)
    try:
        yield
    finally:
        pre_save.disconnect(wait, sender=model)

"""Races that happen for certain: nobody writes before everybody has read."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from django.db.models import Model
from django.db.models.signals import pre_save


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

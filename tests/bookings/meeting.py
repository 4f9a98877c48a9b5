"""Races that happen for certain: nobody writes before everybody has read."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from django.db.models import Model
from django.db.models.signals import pre_save


@contextmanager
def meeting_before_saving(model: type[Model], count: int) -> Iterator[None]:
    """Let nobody save a row of the model before so many are about to."""
    barrier = Barrier(count)

    def wait(**_signal: Any) -> None:
        barrier.wait(30)

    pre_save.connect(wait, sender=model)
    try:
        yield
    finally:
        pre_save.disconnect(wait, sender=model)

"""What the handlers do that use Django's ORM."""

from time import time

from bench.models import Effect


def take_effect(event: int) -> None:
    """Write the row of this event, with the moment at which its handler started."""
    Effect(event=event, started_at=time()).save(force_insert=True)

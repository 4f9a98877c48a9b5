"""Faults: what the next calls of an operation suffer."""

import random
from typing import Annotated, Literal

from msgspec import Meta, Struct


class Fault(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which calls are hit (the next `count`, or a random `share` of all) and what happens to them.

    A `status` is answered without the effect; a delay comes between the effect and the answer; a connection is
    dropped before or after the effect.
    """

    operation: str
    count: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    share: Annotated[float, Meta(gt=0, le=1)] | None = None
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    delay_ms: Annotated[int, Meta(ge=1, le=60_000)] | None = None
    drop: Literal["before", "after"] | None = None

    def __post_init__(self) -> None:
        if (self.count is None) == (self.share is None):
            raise ValueError("Give either count or share")
        if self.status is None and self.delay_ms is None and self.drop is None:
            raise ValueError("Give at least one of status, delay_ms and drop")
        if self.status is not None and self.drop is not None:
            raise ValueError("Give either status or drop")

    def strikes(self) -> bool:
        """Tell whether the call at hand is hit, and count it."""
        if self.share is not None:
            return random.random() < self.share  # noqa: S311 - no secret
        self.count = (self.count or 0) - 1
        return True


class Faults:
    """The pending faults; of those for one operation the oldest strikes first."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def take(self, operation: str) -> Fault | None:
        """Return the fault that hits this call, if any."""
        struck = next((fault for fault in self.pending if fault.operation == operation and fault.strikes()), None)
        if struck and struck.count == 0:
            self.pending.remove(struck)
        return struck

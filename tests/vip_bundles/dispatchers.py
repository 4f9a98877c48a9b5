"""Dispatchers that hear what the process manager hears, in batches, as they do in production."""

from collections import Counter
from dataclasses import replace
from typing import Any

import bookings.commands
import bookings.events.process
import vip_bundles.commands
import vip_bundles.events
from tests.vip_bundles.stored import ADVANCING
from tickets_project.outbox.subscriptions import Subscription, Subscriptions
from tickets_project.outbox.worker.dispatching import Dispatching
from tickets_project.subscriptions import SUBSCRIPTIONS


def advancing_alone(**changes: Any) -> Subscriptions:
    """Return the project's table with the process manager's handlers alone, changed if need be."""
    entries: list[Subscription[Any]] = [entry for entry in SUBSCRIPTIONS if entry.key in ADVANCING]
    declared = (bookings.events.process, bookings.commands, vip_bundles.commands, vip_bundles.events)
    return Subscriptions(*(replace(entry, **changes) for entry in entries), declared_in=declared)


def dispatch() -> None:
    """Claim and commit batches until nothing is due."""
    dispatcher = Dispatching(seconds=60)
    with dispatcher._bell:
        while dispatcher._run_transactional(Counter()):
            pass

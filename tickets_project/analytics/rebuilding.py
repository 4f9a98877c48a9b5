"""Rebuilding: forget every count, and have the outbox deliver the messages once more."""

from collections.abc import Callable

from tickets_project.analytics.errors import NothingCounts
from tickets_project.analytics.services import forget_all
from tickets_project.outbox.keeping import messages_kept
from tickets_project.outbox.replaying import Plan, Selection, plan_replay, replay
from tickets_project.outbox.subscriptions import subscriptions

PREFIX = "analytics."
"""How the keys of the handlers that count begin in the subscription table."""


def plan_rebuild() -> Plan:
    """Count what a rebuild would open.

    :raises NothingCounts: if the table has no handler of analytics
    :raises NotReplayable: if one of them must not be repeated
    """
    handlers = tuple(entry.key for entry in subscriptions() if entry.key.startswith(PREFIX))
    # A selection that names no handler is one of all handlers.
    if not handlers:
        raise NothingCounts
    return plan_replay(Selection(handlers=handlers))


def rebuild(*, by: str, accept_loss: bool = False, progress: Callable[[int], None] = lambda _: None) -> int:
    """Forget every count and open the deliveries that count; return how many were opened.

    Messages may be published and counted meanwhile. Run again if it is interrupted: until then numbers are missing.

    :raises NothingCounts: if the table has no handler of analytics
    :raises NotReplayable: if one of them must not be repeated
    :raises MessagesPruned: if messages that counted are pruned, and `accept_loss` is off
    :raises OperationalError: if a transaction holds the totals for longer than five seconds
    """
    plan_rebuild()  # refused before anything is forgotten
    with messages_kept(_counted_types(), accept_loss=accept_loss):
        forget_all()
        # Planned after that: what was delivered until then is opened, what is delivered from now on counts by itself.
        return replay(plan_rebuild(), by=by, reason="The numbers were rebuilt.", progress=progress)


def _counted_types() -> set[str]:
    return {entry.message.NAME for entry in subscriptions() if entry.key.startswith(PREFIX)}

"""Doing in the test's own process what a dispatcher does: claim what is due, and deliver it."""

from datetime import timedelta
from uuid import UUID, uuid4

from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.delivering import deliver
from tickets_project.outbox.subscriptions import subscriptions

LEASE = timedelta(seconds=10)


def claim_due(*keys: str, dispatcher: UUID | None = None, limit: int = 100, lease: timedelta = LEASE) -> list[Claim]:
    """Claim what is due for these handlers, or for all of the table."""
    handlers = list(keys) or [entry.key for entry in subscriptions()]
    return claiming.claim(dispatcher=dispatcher or uuid4(), handlers=handlers, limit=limit, lease=lease)


def deliver_due(*keys: str) -> int:
    """Deliver once what is due now for these handlers, or for all; return how many deliveries were tried."""
    claims = claim_due(*keys)
    for claim in claims:
        deliver(claim)
    return len(claims)


def deliver_all(*keys: str, rounds: int = 20) -> None:
    """Deliver what is due for these handlers, or for all, and what that publishes, until nothing is due."""
    for _ in range(rounds):
        if not deliver_due(*keys):
            return
    raise AssertionError(f"There was still something to deliver after {rounds} rounds.")

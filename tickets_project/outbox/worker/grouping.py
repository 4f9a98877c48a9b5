"""Which deliveries commit in one transaction, and in which order."""

from collections.abc import Iterator
from itertools import groupby

from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.delivering import Batch
from tickets_project.outbox.subscriptions import Recording, subscriptions


def by_handler(batch: Batch) -> Iterator[Batch]:
    """Group the claims by handler, so that no handler's failure undoes another's work.

    What was tried before stands alone, for it may be what made the others fail, or killed the worker; so does what does
    not commit together. A group is in the order in which all dispatchers lock its rows.
    """
    table = subscriptions()

    def group_key(pair: tuple[Claim, Recording]) -> tuple[bool, str, int]:
        claim, _ = pair
        together = claim.attempts == 1 and table.by_key(claim.handler).together
        return claim.orphaned, claim.handler, 0 if together else claim.delivery_id

    def lock_key(pair: tuple[Claim, Recording]) -> str:
        claim, _ = pair
        return str(claim.payload.get(table.by_key(claim.handler).locks_by, claim.aggregate_id))

    for _, group in groupby(sorted(batch, key=group_key), key=group_key):
        yield sorted(group, key=lock_key)

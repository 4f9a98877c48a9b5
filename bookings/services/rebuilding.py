"""Rebuilding the ops read model: forget every row, and read once more what the stored messages tell."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Count, Max

from bookings.models import OpsBooking, OpsTicket
from tickets_project.outbox import models
from tickets_project.outbox.keeping import messages_kept
from tickets_project.outbox.messages import Header, Message, UndecodableMessage

BATCH = 500

Handlers = Mapping[type[Message], Callable[[Any], None]]
"""What the read model is made of, and what each message of it tells."""

# What is delivered meanwhile waits until the end of the transaction; readers see the old rows until then.
_TAKE = "LOCK TABLE bookings_opsbooking, bookings_opsticket IN SHARE ROW EXCLUSIVE MODE"
_LONGEST_WAIT = "SET LOCAL lock_timeout = '5s'"
_UNREADABLE = (UndecodableMessage, ValueError, DataError, IntegrityError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """How many messages were read, by type: those that are in the rows now, and those that were skipped."""

    applied: Counter[str] = field(default_factory=Counter)
    unheard: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)

    @property
    def skipped(self) -> int:
        """Return how many tell the read model nothing."""
        return self.unheard.total() + self.unreadable.total()


def count_messages() -> Counter[str]:
    """Return how many messages of each type are stored, whether or not anybody hears them."""
    return Counter(dict(models.Message.objects.order_by().values_list("type").annotate(Count("sequence"))))


def rebuild_ops_bookings(
    handlers: Handlers, *, accept_loss: bool = False, progress: Callable[[int], None] = lambda _: None
) -> Rebuilt:
    """Forget every row and hand all stored messages to their handlers once more, in one transaction.

    Types that nobody hears are skipped; so are messages that do not fit their class or the rows, which are logged.

    :raises MessagesPruned: if messages that it hears are pruned, and `accept_loss` is off
    :raises OperationalError: if another transaction holds the rows for longer than five seconds
    """
    heard = {message.NAME: message for message in handlers}
    with messages_kept(heard, accept_loss=accept_loss), transaction.atomic():
        return _rebuild(handlers, heard, progress)


def _rebuild(handlers: Handlers, heard: dict[str, type[Message]], progress: Callable[[int], None]) -> Rebuilt:
    _take_the_rows()
    rebuilt = Rebuilt(unheard=Counter({name: n for name, n in count_messages().items() if name not in heard}))
    progress(rebuilt.unheard.total())
    for batch in _batches(list(heard)):
        _apply(batch, lambda row: _hand_over(row, heard[row.type], handlers), rebuilt)
        progress(len(batch))
    return rebuilt


def _take_the_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LONGEST_WAIT)
        cursor.execute(_TAKE)
    # Not TRUNCATE, which keeps readers waiting.
    OpsTicket.objects.all().delete()
    OpsBooking.objects.all().delete()


def _batches(types: list[str]) -> Iterator[list[models.Message]]:
    """Yield what is stored now, oldest first: what is stored later is delivered later, after this transaction."""
    heard = models.Message.objects.filter(type__in=types).order_by("sequence").defer("headers")
    last, end = 0, heard.aggregate(end=Max("sequence"))["end"] or 0
    while batch := list(heard.filter(sequence__gt=last, sequence__lte=end)[:BATCH]):
        yield batch
        last = batch[-1].sequence


def _apply(batch: list[models.Message], hand_over: Callable[[models.Message], None], rebuilt: Rebuilt) -> None:
    """Apply the batch; halve it as long as something in it cannot be read."""
    try:
        # One answer of the database for the whole batch, not for each: live handlers wait.
        with transaction.atomic(), connection.wrap_database_errors, connection.connection.pipeline():
            for row in batch:
                hand_over(row)
    except _UNREADABLE as error:
        if len(batch) == 1:
            log.warning("unreadable", message_id=str(batch[0].id), message=batch[0].type, error=str(error))
            rebuilt.unreadable[batch[0].type] += 1
        else:
            middle = len(batch) // 2
            _apply(batch[:middle], hand_over, rebuilt)
            _apply(batch[middle:], hand_over, rebuilt)
    else:
        rebuilt.applied.update(row.type for row in batch)


def _hand_over(row: models.Message, message: type[Message], handlers: Handlers) -> None:
    """Call the handler as a delivery does.

    :raises UndecodableMessage: if the payload does not fit the message's class
    """
    if not isinstance(row.payload, dict):
        raise UndecodableMessage(f"{row.type}: the payload is no object")
    key = str(row.id)
    header = Header(id=key, published_at=row.published_at, idempotency_key=key, correlation_id="")
    handlers[message](message.from_payload(row.payload, header))

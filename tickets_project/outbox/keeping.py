"""What is pruned, and keeping everything else while something is rebuilt from the messages."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from django.db import connection
from django.db.models import QuerySet

from tickets_project.outbox.claiming import DATABASE_AWAY
from tickets_project.outbox.errors import MessagesPruned
from tickets_project.outbox.models import PrunedType

# Those who prune share the lock for the length of a batch; who reads everything has it alone.
_KEY = "hashtextextended('outbox messages are kept', 0)"


@contextmanager
def messages_kept(types: Collection[str], *, accept_loss: bool = False) -> Iterator[None]:
    """Let no message be pruned until the end of the block, which shall read all that were ever published.

    Waits for a batch that is being pruned, and for others who read everything.

    :param types: the stored names of the messages that are read
    :raises MessagesPruned: if some of them are pruned already, unless the loss is accepted
    """
    _ask(f"SELECT pg_advisory_lock({_KEY})")
    try:
        pruned = list(pruned_of(types))
        if pruned and not accept_loss:
            raise MessagesPruned(f"{_sentence(pruned)} Whatever is rebuilt from messages loses what they told.")
        yield
    finally:
        # With the connection the lock is gone, too.
        with suppress(*DATABASE_AWAY):
            _ask(f"SELECT pg_advisory_unlock({_KEY})")


def may_prune() -> bool:
    """Tell whether messages may be pruned until the end of this transaction."""
    return _ask(f"SELECT pg_try_advisory_xact_lock_shared({_KEY})")


def pruned_of(types: Collection[str]) -> QuerySet[PrunedType]:
    """Return what is pruned of these types of messages, by name."""
    return PrunedType.objects.filter(type__in=types).order_by("type")


def _sentence(pruned: list[PrunedType]) -> str:
    return f"These messages are pruned: {', '.join(map(str, pruned))}."


def _ask(sql: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        [answer] = cursor.fetchone()
    return bool(answer)

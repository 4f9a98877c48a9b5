"""Work in hand: calls that a service has received and not answered yet, and an open transaction."""

from django.db import connection

from tests.crash.trial.books import Books
from tests.journeys.bundles import Gateway
from tests.processes import eventually

# A session that has begun a transaction and asks nothing: its handler dozes.
_DOZING = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'idle in transaction'
            AND clock_timestamp() - state_change > interval '0.2 s'
    )
"""


def take_in_hand(books: Books, gateway: Gateway, *, calls: int = 4, seconds: float = 1.5) -> None:
    """Publish what takes so long, and wait until a worker has begun it all."""
    gateway.fault("payments.refund", count=calls, delay_ms=round(1000 * seconds))
    books.publish(paid=calls, dozed=1, seconds=seconds)
    eventually(lambda: _open_calls(gateway) == calls and _is_dozing(), seconds=30)


def _open_calls(gateway: Gateway) -> int:
    return sum(call["status"] is None for call in gateway.calls("payments.refund"))


def _is_dozing() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_DOZING)
        return bool(cursor.fetchone() == (True,))

"""Publishing what is counted, and reading what it came to."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from tests.tickets_project.analytics.messages_for_tests import Redeemed, Sold
from tickets_project.analytics.models import DailyTotal, Kind
from tickets_project.analytics.services import count
from tickets_project.outbox.messages import Message
from tickets_project.outbox.publishing import publish
from tickets_project.values import Money

DAY = date(2026, 5, 2)
NOON = datetime(2026, 5, 2, 12, tzinfo=UTC)


def money(amount: str, currency: str = "EUR") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def counted(kind: Kind, *, on: date = DAY, worth: Money | None = None, times: int = 1) -> None:
    """Count messages of their own."""
    for _ in range(times):
        count(message_id=uuid4(), kind=kind, on=on, money=worth)


def sold(amount: str = "10.00", currency: str = "EUR") -> Sold:
    return Sold(sale_id=str(uuid4()), price=money(amount, currency))


def redeemed() -> Redeemed:
    return Redeemed(sale_id=str(uuid4()))


@transaction.atomic
def published(*messages: Message) -> None:
    publish(*messages)


def totals() -> dict[tuple[str, str], tuple[int, str]]:
    """Return how often, and how much, by kind and currency, whatever the day."""
    return {(row.kind, row.currency): (row.count, str(row.amount)) for row in DailyTotal.objects.all()}


def at_once(works: list[Callable[[], Any]]) -> None:
    """Do all of it, each on a connection of its own; raise what one of them raises."""
    with ThreadPoolExecutor(len(works)) as threads:
        for future in [threads.submit(_alone, work) for work in works]:
            future.result()


def _alone(work: Callable[[], Any]) -> None:
    try:
        work()
    finally:
        connection.close()

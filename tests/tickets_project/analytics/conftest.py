"""A table whose handlers count what only these tests publish."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.tickets_project.analytics import messages_for_tests
from tests.tickets_project.analytics.messages_for_tests import Redeemed, Sold
from tickets_project.analytics import handlers
from tickets_project.analytics.models import Kind
from tickets_project.outbox.subscriptions import Subscription, Subscriptions
from tickets_project.values import Money

Table = Callable[[Subscriptions], None]


def price(message: Sold) -> Money:
    return message.price


def ignore(message: Sold) -> None:
    del message


@pytest.fixture
def counting(table: Table) -> None:
    """Count sales, what they bring, and what is redeemed; another handler hears of sales, too."""
    booked = partial(handlers.count, kind=Kind.BOOKED)
    earned = partial(handlers.count, kind=Kind.REVENUE, worth=price)
    used = partial(handlers.count, kind=Kind.REDEEMED)
    table(
        Subscriptions(
            Subscription(Sold, "analytics.count_booked", booked),
            Subscription(Sold, "analytics.count_revenue", earned),
            Subscription(Redeemed, "analytics.count_redeemed", used),
            Subscription(Sold, "sales.ignore", ignore),
            declared_in=(messages_for_tests,),
        )
    )

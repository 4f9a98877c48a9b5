"""The subscription table of the benchmarks, in place of the project's."""

from bench import messages
from bench.effects import take_effect
from bench.messages import CountedV1, WatchedV1
from tickets_project.outbox.subscriptions import Subscription, Subscriptions


def count(message: CountedV1) -> None:
    """Write the one row."""
    take_effect(message.number)


def watch(_message: WatchedV1) -> None:
    """Do nothing."""


SUBSCRIPTIONS = Subscriptions(
    Subscription(CountedV1, "bench.count", count),
    Subscription(WatchedV1, "bench.watch_1", watch),
    Subscription(WatchedV1, "bench.watch_2", watch),
    Subscription(WatchedV1, "bench.watch_3", watch),
    declared_in=(messages,),
)

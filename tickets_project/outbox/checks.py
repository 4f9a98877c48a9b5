"""System checks: a wrong subscription table, or settings that would not prune as they say, stop the start."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from tickets_project.outbox.messages import Command
from tickets_project.outbox.pruning import still_needed
from tickets_project.outbox.subscriptions import Subscriptions, subscriptions


@register("outbox")
def check_subscriptions(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Check the project's table."""
    return list(faults(subscriptions()))


@register("outbox")
def check_retention(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Check what the settings say about pruning."""
    return [*_retention_faults()]


def _retention_faults() -> Iterator[CheckMessage]:
    if 0 < settings.OUTBOX_KEEP_MESSAGES_DAYS < settings.OUTBOX_KEEP_DELIVERED_DAYS:
        yield Error(
            "OUTBOX_KEEP_DELIVERED_DAYS is longer than OUTBOX_KEEP_MESSAGES_DAYS.",
            hint="A delivery keeps its message: make the first as long as the second, or 0, which does the same.",
            id="outbox.E006",
        )
    try:
        still_needed()
    except ImportError as error:
        yield Error(f"OUTBOX_STILL_NEEDED names what is not there: {error}", id="outbox.E007")


def faults(table: Subscriptions) -> Iterator[CheckMessage]:
    """Yield what is wrong: repeated keys and names, commands without exactly one handler, what is not declared."""
    for key, count in Counter(subscription.key for subscription in table).items():
        if count > 1:
            yield Error(f"The key {key} stands {count} times in the subscription table.", id="outbox.E001")
    for name, count in Counter(message.NAME for message in table.declared).items():
        if count > 1:
            yield Error(f"{count} messages are stored under the name {name}.", id="outbox.E002")
    for message in table.declared:
        handlers = len(table.of(message.NAME))
        if issubclass(message, Command) and handlers != 1:
            yield Error(f"The command {message.NAME} has {handlers} handlers instead of one.", id="outbox.E003")
    for subscription in table:
        if not table.declares(subscription.message):
            yield Error(
                f"{subscription.key} hears {subscription.message.__qualname__}, which no declared module defines.",
                hint="Add the module that defines it to declared_in.",
                id="outbox.E004",
            )
        lock, names = subscription.locks_by, {part.name for part in fields(subscription.message)}
        if lock and lock not in names:
            yield Error(
                f"{subscription.key} locks by {lock}, which is no field of {subscription.message.__qualname__}.",
                hint="Name the field that holds the id of the row that the handler locks.",
                id="outbox.E005",
            )

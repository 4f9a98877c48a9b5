"""System checks: a wrong subscription table stops the start."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from tickets_project.outbox.messages import Command
from tickets_project.outbox.subscriptions import Subscriptions, subscriptions


@register("outbox")
def check_subscriptions(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Check the project's table."""
    return list(faults(subscriptions()))


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

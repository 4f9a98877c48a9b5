"""What analytics does when a message arrives."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from tickets_project.analytics import services
from tickets_project.analytics.days import day_of
from tickets_project.analytics.models import Kind
from tickets_project.outbox.messages import Message
from tickets_project.values import Money


def nothing(message: Message) -> None:
    """Be the worth of a message that is only counted."""
    del message


def count(message: Message, *, kind: Kind, worth: Callable[[Any], Money | None] = nothing) -> None:
    """Add the message, and what it is worth, to the totals of the day on which it was published."""
    services.count(
        message_id=UUID(message.header.id), kind=kind, on=day_of(message.header.published_at), money=worth(message)
    )

"""Reading what was published."""

from typing import Any

from tickets_project.outbox.models import Message


def names() -> list[str]:
    """Return the stored names of all messages, oldest first."""
    return list(Message.objects.order_by("sequence").values_list("type", flat=True))


def payloads(name: str) -> list[dict[str, Any]]:
    """Return the payloads of the messages with this name, oldest first."""
    return list(Message.objects.filter(type=name).order_by("sequence").values_list("payload", flat=True))


def payload(name: str) -> dict[str, Any]:
    """Return the payload of the one message with this name."""
    [only] = payloads(name)
    return only

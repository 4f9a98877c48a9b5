"""What notifications are asked to do."""

from dataclasses import dataclass
from typing import ClassVar

from tickets_project.outbox.messages import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class SendNotification(Command):
    """Send a stored notification. The same `sending` twice sends once; sending it again takes the next number."""

    NAME: ClassVar[str] = "SendNotification"
    AGGREGATE: ClassVar[tuple[str, str]] = ("notification", "notification_id")

    notification_id: str
    sending: int = 1
    requested_by: str = ""

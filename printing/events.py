"""What printing tells the others."""

from dataclasses import dataclass
from typing import ClassVar

from tickets_project.outbox.messages import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPrintedV1(Event):
    """The ticket's document is in the files service."""

    NAME: ClassVar[str] = "TicketPrinted_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    file_name: str
    booking_id: str = ""

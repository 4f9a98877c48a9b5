"""What others may ask of bookings."""

from dataclasses import dataclass
from typing import ClassVar

from tickets_project.outbox.messages import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundTicket(Command):
    """Void the ticket's receipt, then refund its payment; asked twice, it is done once."""

    NAME: ClassVar[str] = "RefundTicket"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str

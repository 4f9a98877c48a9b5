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


@dataclass(frozen=True, slots=True, kw_only=True)
class BookShowTickets(Command):
    """Book seats under this id, and confirm them at once unless the vendor does; the same id twice is one booking."""

    NAME: ClassVar[str] = "BookShowTickets"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    customer_email: str
    number_of_tickets: int
    show_id: str
    user_id: int | None = None

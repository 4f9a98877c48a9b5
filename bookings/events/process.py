"""What other apps act on."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tickets_project.outbox.messages import Event
from tickets_project.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingMadeV1(Event):
    """Seats of a show are held."""

    NAME: ClassVar[str] = "BookingMade_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    number_of_tickets: int
    customer_email: str
    show_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFailedV1(Event):
    """BookShowTickets found too few seats, a show that has started, or one that makes no tickets; nothing is held."""

    NAME: ClassVar[str] = "BookingFailed_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    failure_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketBookingConfirmedV1(Event):
    """A ticket of a confirmed booking exists: print it, charge it, hand it out."""

    NAME: ClassVar[str] = "TicketBookingConfirmed_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    customer_email: str
    price: Money
    booking_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketBookingCanceledV1(Event):
    """A ticket is no longer valid. Printing ignores it: operations take such papers back by hand."""

    NAME: ClassVar[str] = "TicketBookingCanceled_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    customer_email: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReceiptIssuedV1(Event):
    """The ticket has a receipt; `issued_at` is the receipts service's time."""

    NAME: ClassVar[str] = "TicketReceiptIssued_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    receipt_number: str
    issued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRefundedV1(Event):
    """The ticket's receipt is void and its payment is paid back."""

    NAME: ClassVar[str] = "TicketRefunded_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    booking_id: str = ""

"""What bookings tell the others: life-cycle events of one row, and the process events that apps act on."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from tickets_project.outbox.messages import Event
from tickets_project.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCreated(Event):
    """A booking was made; `price` is for all its tickets, `resource_id` a show's for the type `show`."""

    NAME: ClassVar[str] = "booking.created"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    user_id: int | None
    resource_type: str
    resource_id: str
    start_time: datetime
    end_time: datetime | None
    price: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingConfirmationRequested(Event):
    """Somebody asked to confirm; recorded also when it is refused."""

    NAME: ClassVar[str] = "booking.confirmation_requested"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    user_id: int | None
    payment_id: str | None = None
    admin_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingConfirmed(Event):
    """A pending booking became confirmed."""

    NAME: ClassVar[str] = "booking.confirmed"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    user_id: int | None
    confirmed_at: datetime
    confirmation_code: str
    admin_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCreated(Event):
    """A ticket was made, pending."""

    NAME: ClassVar[str] = "ticket.created"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    user_id: int | None
    booking_id: str | None
    ticket_type_id: str
    price: Decimal
    currency: str


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

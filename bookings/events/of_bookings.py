"""What happens to one booking."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from tickets_project.outbox.messages import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCreated(Event):
    """A booking was made; `price` is for all of it.

    `resource_type` is show, room, equipment or service, and `resource_id` the id of that.
    """

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
class BookingCancellationRequested(Event):
    """Somebody asked to cancel; recorded also when it is refused."""

    NAME: ClassVar[str] = "booking.cancellation_requested"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    user_id: int | None
    reason: str | None = None
    refund_amount: Decimal | None = None
    admin_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCancelled(Event):
    """A pending or confirmed booking became cancelled; the amount is in the currency that was paid."""

    NAME: ClassVar[str] = "booking.cancelled"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    user_id: int | None
    cancelled_at: datetime
    reason: str | None = None
    refund_amount: Decimal | None = None
    admin_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCompleted(Event):
    """A confirmed booking took place."""

    NAME: ClassVar[str] = "booking.completed"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    user_id: int | None
    completed_at: datetime
    review_requested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingNoShow(Event):
    """Nobody came for a confirmed booking."""

    NAME: ClassVar[str] = "booking.no_show"
    AGGREGATE: ClassVar[tuple[str, str]] = ("booking", "booking_id")

    booking_id: str
    user_id: int | None
    marked_no_show_at: datetime
    staff_id: int | None = None

"""The rows of the life-cycle model: shows, bookings, tickets and refunds as they should be. Money is in cents."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

HOUR = timedelta(hours=1)


@dataclass(eq=False)
class ModelShow:
    """`kind` is manual, at once, pass (valid for a day), or list (no tickets)."""

    id: UUID
    start: datetime
    seats: int
    price: int
    kind: str
    bookings: list["ModelBooking"] = field(default_factory=list)

    @property
    def held(self) -> int:
        return sum(booking.held for booking in self.bookings)


@dataclass(eq=False)
class ModelRefund:
    amount: int
    status: str


@dataclass(eq=False)
class ModelTicket:
    id: UUID
    booking: "ModelBooking"
    status: str = "pending"
    valid: tuple[datetime, datetime] | None = None
    refund: ModelRefund | None = None
    commands: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def price(self) -> int:
        return self.booking.show.price

    def is_settled(self, *, staff: bool) -> bool:
        return bool(self.refund) or self.status == "cancelled" or (self.status == "redeemed" and not staff)

    def become(self, status: str) -> None:
        self.status = status
        self.told.append({"active": "activated"}.get(status, status))


@dataclass(eq=False)
class ModelBooking:
    id: UUID
    show: ModelShow
    seats: int
    made_at: datetime
    status: str = "pending"
    paid: int = 0
    refund_amount: int | None = None
    tickets: list[ModelTicket] = field(default_factory=list)
    parts: list[ModelRefund] = field(default_factory=list)
    told: list[str] = field(default_factory=lambda: ["created"])

    @property
    def held(self) -> int:
        gone = sum(ticket.status == "cancelled" for ticket in self.tickets)
        return 0 if self.status == "cancelled" else self.seats - gone

    @property
    def refunds(self) -> list[ModelRefund]:
        return [*self.parts, *(ticket.refund for ticket in self.tickets if ticket.refund)]

    @property
    def left(self) -> int:
        return self.paid - sum(refund.amount for refund in self.refunds)

    def become(self, status: str) -> None:
        self.status = status
        self.told.append(status)


def times_of(show: ModelShow) -> tuple[datetime, datetime]:
    return show.start - 3 * HOUR, show.start + 6 * HOUR

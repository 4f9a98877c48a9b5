"""What happens to one ticket."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from tickets_project.outbox.messages import Event


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
class TicketActivationRequested(Event):
    """Somebody asked to activate; recorded also when it is refused."""

    NAME: ClassVar[str] = "ticket.activation_requested"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    user_id: int | None
    admin_id: int | None = None
    activation_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketActivated(Event):
    """A pending ticket became active; `ticket_type` is the type's name."""

    NAME: ClassVar[str] = "ticket.activated"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    user_id: int | None
    ticket_type: str
    activated_at: datetime
    valid_until: datetime | None = None
    admin_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRedemptionRequested(Event):
    """A code was scanned; the ticket is unknown when the code is."""

    NAME: ClassVar[str] = "ticket.redemption_requested"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str | None
    user_id: int | None
    redemption_code: str
    location: str | None = None

    @property
    def aggregate_id(self) -> str:
        """Return the ticket's id, or the code when it is no ticket's."""
        return self.ticket_id or self.redemption_code


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRedeemed(Event):
    """An active ticket let its holder in; `redeemed_by` is the id of the member of staff."""

    NAME: ClassVar[str] = "ticket.redeemed"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    user_id: int | None
    redeemed_at: datetime
    redeemed_by: int | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCancelled(Event):
    """A pending or active ticket became cancelled."""

    NAME: ClassVar[str] = "ticket.cancelled"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    user_id: int | None
    cancelled_at: datetime
    reason: str | None = None
    refund_amount: Decimal | None = None
    admin_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketExpired(Event):
    """An active ticket's time was over."""

    NAME: ClassVar[str] = "ticket.expired"
    AGGREGATE: ClassVar[tuple[str, str]] = ("ticket", "ticket_id")

    ticket_id: str
    user_id: int | None
    expired_at: datetime

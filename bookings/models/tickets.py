"""Tickets: one entry for one person, and what becomes of it."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django_fsm import FSMField, FSMModelMixin, transition

from bookings.codes import redemption_code
from bookings.models.bookings import Booking
from bookings.models.ticket_types import TicketType
from tickets_project.audit.acts import Act
from tickets_project.audit.states import StateManager
from tickets_project.values import Money


class TicketStatus(models.TextChoices):
    """Where a ticket stands."""

    PENDING = "pending"
    ACTIVE = "active"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN = (TicketStatus.PENDING, TicketStatus.ACTIVE)
"""The states from which a ticket is cancelled."""


class Ticket(FSMModelMixin, models.Model):
    """One entry for one person."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, related_name="tickets")
    # What the vendor says of a ticket whose booking nobody knows.
    vendor_booking_id = models.UUIDField(null=True, editable=False)
    ticket_type = models.ForeignKey(TicketType, on_delete=models.PROTECT, related_name="+")
    customer_email = models.EmailField()
    price_amount = models.DecimalField(max_digits=10, decimal_places=2)
    price_currency = models.CharField(max_length=3)
    status = FSMField(choices=TicketStatus.choices, default=TicketStatus.PENDING, protected=True, max_length=9)
    redemption_code = models.CharField(max_length=16, unique=True, editable=False)
    activation_code = models.CharField(max_length=32, blank=True, default="", editable=False)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, editable=False)
    valid_from = models.DateTimeField(null=True, editable=False)
    valid_until = models.DateTimeField(null=True, editable=False)
    redeemed_at = models.DateTimeField(null=True, editable=False)
    redeemed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    redeemed_location = models.CharField(max_length=200, blank=True, default="", editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    expired_at = models.DateTimeField(null=True, editable=False)
    # Told by printing, through the outbox.
    printed_at = models.DateTimeField(null=True, editable=False)
    file_name = models.CharField(max_length=100, blank=True, default="", editable=False)

    objects = StateManager()

    class Meta:
        """The indexes serve the lists and the schedule that expires tickets."""

        permissions = [
            ("activate_ticket", "Can activate tickets"),
            ("redeem_ticket", "Can redeem tickets at the door"),
        ]
        indexes = [
            models.Index("created_at", "id", name="bookings_ticket_created"),
            models.Index("status", "created_at", "id", name="bookings_ticket_status"),
            models.Index("created_at", "id", condition=Q(printed_at=None), name="bookings_ticket_unprinted"),
            models.Index(Upper("customer_email"), name="bookings_ticket_email"),
            models.Index("valid_until", condition=Q(status="active"), name="bookings_ticket_active_until"),
            # Operations look for the vendor's tickets without a booking of ours.
            models.Index("created_at", "id", condition=Q(booking=None), name="bookings_ticket_unbooked"),
        ]

    def __str__(self) -> str:
        return self.redemption_code

    @property
    def price(self) -> Money:
        """Return what this ticket costs."""
        return Money(amount=self.price_amount, currency=self.price_currency)

    @property
    def owner_id(self) -> int | None:
        """Return the id of its owner's account, None when there is none."""
        return self.booking.owner_id if self.booking else None

    @property
    def title(self) -> str:
        """Return what it is for."""
        return self.booking.title if self.booking else f"vendor booking {self.vendor_booking_id}"

    @property
    def receipt_number(self) -> str | None:
        """Return its receipt's number, None while it has none."""
        receipt = getattr(self, "receipt", None)
        return receipt.number or None if receipt else None

    @property
    def refunded_at(self) -> datetime | None:
        """Return when its money went back."""
        return next((refund.finished_at for refund in self.refunds.all() if refund.finished_at), None)

    @classmethod
    def of(cls, booking: Booking, **fields: Any) -> "Ticket":
        """Return one more unsaved ticket of the booking."""
        price = booking.show.price if booking.show else booking.price
        return cls(
            booking=booking,
            ticket_type=booking.ticket_type,
            customer_email=booking.customer_email,
            redemption_code=redemption_code(),
            **{"price_amount": price.amount, "price_currency": price.currency} | fields,
        )

    @transition(
        field=status,
        source=TicketStatus.PENDING,
        target=TicketStatus.ACTIVE,
        custom={"action": "ticket_activated"},
    )
    def activate(self, *, act: Act, code: str, valid_from: datetime, valid_until: datetime | None) -> None:
        """Become active: it lets its holder in while it is valid."""
        self.activation_code = code
        self.activated_at = act.at
        self.valid_from = valid_from
        self.valid_until = valid_until

    @transition(
        field=status,
        source=TicketStatus.ACTIVE,
        target=TicketStatus.REDEEMED,
        custom={"action": "ticket_redeemed"},
    )
    def redeem(self, *, act: Act, location: str) -> None:
        """Become redeemed: its holder is in."""
        self.redeemed_at = act.at
        self.redeemed_by = act.actor
        self.redeemed_location = location

    @transition(
        field=status,
        source=TicketStatus.REDEEMED,
        target=TicketStatus.ACTIVE,
        custom={"action": "ticket_redemption_undone"},
    )
    def undo_redemption(self, *, act: Act) -> None:  # noqa: ARG002 - the audit trail reads it
        """Become active again: the scan was a mistake."""
        self.redeemed_at = self.redeemed_by = None
        self.redeemed_location = ""

    @transition(
        field=status,
        source=TicketStatus.ACTIVE,
        target=TicketStatus.EXPIRED,
        custom={"action": "ticket_expired"},
    )
    def expire(self, *, act: Act) -> None:
        """Become expired: its time is over."""
        self.expired_at = act.at

    @transition(
        field=status,
        source=list(OPEN),
        target=TicketStatus.CANCELLED,
        custom={"action": "ticket_cancelled"},
    )
    def cancel(self, *, act: Act) -> None:
        """Become cancelled: it lets nobody in."""
        self.cancelled_at = act.at

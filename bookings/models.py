"""The tables of bookings, with the rules that the database keeps and the transitions that are declared."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django_fsm import FSMField, FSMModelMixin, transition

from bookings.codes import redemption_code
from tickets_project.values import Money


class Activation(models.TextChoices):
    """When a ticket of a type becomes active."""

    MANUAL = "manual"
    ON_CONFIRMATION = "on_confirmation"


class TicketType(models.Model):
    """What a ticket is worth: how it becomes active and how long it is valid."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=50, unique=True)
    activation = models.CharField(max_length=15, choices=Activation.choices, default=Activation.MANUAL)
    valid_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days after activation; empty: until the show is over."
    )
    makes_tickets = models.BooleanField(default=True, help_text="Off: a confirmed booking makes no tickets.")

    def __str__(self) -> str:
        return self.name


class Show(models.Model):
    """Something that happens once, at one place, before a number of seats."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    title = models.CharField(max_length=200)
    venue = models.CharField(max_length=200)
    start_time = models.DateTimeField()
    end_time = models.DateTimeField(null=True, blank=True)
    number_of_tickets = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    # Seats of pending and confirmed bookings; changed under the row's lock alone.
    seats_held = models.PositiveIntegerField(default=0, editable=False)
    price_amount = models.DecimalField(max_digits=10, decimal_places=2, validators=[MinValueValidator(0)])
    price_currency = models.CharField(max_length=3)
    ticket_type = models.ForeignKey(TicketType, on_delete=models.PROTECT, related_name="+")
    dead_nation_id = models.UUIDField(null=True, blank=True, help_text="Set when the show is sold through the vendor.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """No show has more seats held than it has."""

        constraints = [
            models.CheckConstraint(
                condition=Q(seats_held__lte=F("number_of_tickets")), name="bookings_show_not_overbooked"
            ),
            models.CheckConstraint(
                condition=Q(end_time__isnull=True) | Q(end_time__gt=F("start_time")), name="bookings_show_ends_later"
            ),
        ]
        indexes = [
            # Lists, earliest first.
            models.Index("start_time", "id", name="bookings_show_start"),
            # The admin's search by the beginning of the title.
            models.Index(OpClass(Upper("title"), name="text_pattern_ops"), name="bookings_show_title"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.start_time:%Y-%m-%d}"

    @property
    def seats_left(self) -> int:
        """Return how many seats can still be booked."""
        return self.number_of_tickets - self.seats_held

    @property
    def price(self) -> Money:
        """Return the price of one ticket."""
        return Money(amount=self.price_amount, currency=self.price_currency)


class BookingStatus(models.TextChoices):
    """Where a booking stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


class Booking(FSMModelMixin, models.Model):
    """Seats of a show, held for a customer."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    show = models.ForeignKey(Show, on_delete=models.PROTECT, related_name="bookings")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="bookings",
        help_text="Empty when the customer has no account.",
    )
    customer_email = models.EmailField()
    number_of_tickets = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    price_amount = models.DecimalField(max_digits=14, decimal_places=2)
    price_currency = models.CharField(max_length=3)
    status = FSMField(choices=BookingStatus.choices, default=BookingStatus.PENDING, protected=True, max_length=9)
    confirmation_code = models.CharField(max_length=10, null=True, unique=True, editable=False)  # noqa: DJ001 - unique
    payment_id = models.CharField(max_length=100, null=True, unique=True, editable=False)  # noqa: DJ001 - unique
    confirmed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        """The indexes serve the lists: newest first, by owner, by status, by e-mail."""

        indexes = [
            models.Index("created_at", "id", name="bookings_booking_created"),
            models.Index("owner", "created_at", "id", name="bookings_booking_owner"),
            models.Index("status", "created_at", "id", name="bookings_booking_status"),
            models.Index(Upper("customer_email"), name="bookings_booking_email"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(number_of_tickets__gte=1), name="bookings_booking_some_tickets"),
            models.CheckConstraint(
                condition=Q(status="pending", confirmed_at__isnull=True) | ~Q(status="pending"),
                name="bookings_booking_pending_unconfirmed",
            ),
        ]

    def __str__(self) -> str:
        return self.confirmation_code or str(self.id)

    @property
    def price(self) -> Money:
        """Return the price of all its tickets."""
        return Money(amount=self.price_amount, currency=self.price_currency)

    @transition(field=status, source=BookingStatus.PENDING, target=BookingStatus.CONFIRMED)
    def confirm(self, *, code: str, payment_id: str | None, at: datetime) -> None:
        """Become confirmed."""
        self.confirmation_code = code
        self.payment_id = payment_id
        self.confirmed_at = at


class TicketStatus(models.TextChoices):
    """Where a ticket stands."""

    PENDING = "pending"
    ACTIVE = "active"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Ticket(FSMModelMixin, models.Model):
    """One entry for one person."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="tickets")
    ticket_type = models.ForeignKey(TicketType, on_delete=models.PROTECT, related_name="+")
    customer_email = models.EmailField()
    price_amount = models.DecimalField(max_digits=10, decimal_places=2)
    price_currency = models.CharField(max_length=3)
    status = FSMField(choices=TicketStatus.choices, default=TicketStatus.PENDING, protected=True, max_length=9)
    redemption_code = models.CharField(max_length=16, unique=True, editable=False)
    created_at = models.DateTimeField()
    # Told by printing, through the outbox.
    printed_at = models.DateTimeField(null=True, editable=False)
    file_name = models.CharField(max_length=100, blank=True, default="", editable=False)

    class Meta:
        """The indexes serve the lists: newest first, by status, and what is not printed yet."""

        indexes = [
            models.Index("created_at", "id", name="bookings_ticket_created"),
            models.Index("status", "created_at", "id", name="bookings_ticket_status"),
            models.Index("created_at", "id", condition=Q(printed_at=None), name="bookings_ticket_unprinted"),
            models.Index(Upper("customer_email"), name="bookings_ticket_email"),
        ]

    def __str__(self) -> str:
        return self.redemption_code

    @property
    def price(self) -> Money:
        """Return what this ticket costs."""
        return Money(amount=self.price_amount, currency=self.price_currency)

    @classmethod
    def of(cls, booking: Booking, **fields: Any) -> "Ticket":
        """Return one more unsaved ticket of the booking."""
        show = booking.show
        return cls(
            booking=booking,
            ticket_type=show.ticket_type,
            customer_email=booking.customer_email,
            price_amount=show.price_amount,
            price_currency=show.price_currency,
            redemption_code=redemption_code(),
            **fields,
        )

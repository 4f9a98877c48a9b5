"""Bookings: seats of a show, or a resource for a time, and what becomes of them."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Upper
from django_fsm import FSMField, FSMModelMixin, transition

from bookings.models.resources import Resource
from bookings.models.shows import LASTS_AT_MOST, Show
from bookings.models.ticket_types import TicketType
from tickets_project.audit.acts import Act
from tickets_project.audit.states import StateManager
from tickets_project.values import Money


class BookingStatus(models.TextChoices):
    """Where a booking stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


STANDING = (BookingStatus.PENDING, BookingStatus.CONFIRMED)
"""The states in which a booking holds its seats or its slot, and from which it is cancelled."""

# An id as a range of itself: ranges are what a GiST index compares without an extension.
_RESOURCE = Func("resource", "resource", Value("[]"), function="UUIDRANGE", output_field=models.TextField())
_SLOT = Func("start_time", "end_time", function="TSTZRANGE", output_field=DateTimeRangeField())


class Booking(FSMModelMixin, models.Model):
    """Seats of a show, or a resource for a time, held for a customer."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    show = models.ForeignKey(Show, on_delete=models.PROTECT, null=True, blank=True, related_name="bookings")
    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, null=True, blank=True, related_name="bookings")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="bookings",
        help_text="Empty when the customer has no account.",
    )
    customer_email = models.EmailField()
    # A show's times as they are now: they follow when it is moved.
    start_time = models.DateTimeField()
    end_time = models.DateTimeField(null=True, blank=True)
    number_of_tickets = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    # What it holds of its show's seats now; changed under the show's lock alone.
    seats_held = models.PositiveIntegerField(default=0, editable=False)
    price_amount = models.DecimalField(max_digits=14, decimal_places=2)
    price_currency = models.CharField(max_length=3)
    status = FSMField(choices=BookingStatus.choices, default=BookingStatus.PENDING, protected=True, max_length=9)
    confirmation_code = models.CharField(max_length=10, null=True, unique=True, editable=False)  # noqa: DJ001 - unique
    payment_id = models.CharField(max_length=100, null=True, unique=True, editable=False)  # noqa: DJ001 - unique
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    no_show_at = models.DateTimeField(null=True, editable=False)
    cancellation_reason = models.TextField(blank=True, default="", editable=False)
    refund_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, editable=False)
    day_reminder_at = models.DateTimeField(null=True, editable=False)
    hour_reminder_at = models.DateTimeField(null=True, editable=False)

    objects = StateManager()

    class Meta:
        """The indexes serve the lists and the schedules."""

        indexes = [
            models.Index("created_at", "id", name="bookings_booking_created"),
            models.Index("owner", "created_at", "id", name="bookings_booking_owner"),
            models.Index("status", "created_at", "id", name="bookings_booking_status"),
            models.Index("start_time", "id", name="bookings_booking_start"),
            models.Index(Upper("customer_email"), name="bookings_booking_email"),
            # Completing what is over, and reminding of what comes.
            models.Index("start_time", condition=Q(status="confirmed"), name="bookings_booking_confirmed"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(number_of_tickets__gte=1), name="bookings_booking_some_tickets"),
            models.CheckConstraint(
                condition=Q(seats_held__lte=F("number_of_tickets")), name="bookings_booking_seats_held"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", confirmed_at__isnull=True) | ~Q(status="pending"),
                name="bookings_booking_pending_unconfirmed",
            ),
            models.CheckConstraint(
                condition=Q(show__isnull=False, resource__isnull=True)
                | Q(
                    show__isnull=True,
                    resource__isnull=False,
                    end_time__isnull=False,
                    end_time__gt=F("start_time"),
                    seats_held=0,
                ),
                name="bookings_booking_show_or_slot",
            ),
            models.CheckConstraint(
                condition=Q(refund_amount__isnull=True) | Q(refund_amount__gte=0), name="bookings_booking_refund_amount"
            ),
            ExclusionConstraint(
                name="bookings_booking_slot_once",
                expressions=[
                    (_RESOURCE, RangeOperators.EQUAL),
                    (_SLOT, RangeOperators.OVERLAPS),
                ],
                condition=Q(resource__isnull=False, status__in=["pending", "confirmed"]),
            ),
        ]

    def __str__(self) -> str:
        return self.confirmation_code or str(self.id)

    @property
    def price(self) -> Money:
        """Return the price of all its tickets, or of the whole slot."""
        return Money(amount=self.price_amount, currency=self.price_currency)

    @property
    def paid(self) -> Decimal:
        """Return what was paid: whoever confirms it vouches for the price."""
        return self.price_amount if self.confirmed_at else Decimal("0.00")

    @property
    def title(self) -> str:
        """Return what is booked."""
        return self.show.title if self.show else str(self.resource)

    @property
    def location(self) -> str:
        """Return where it takes place."""
        return self.show.venue if self.show else self.resource.location if self.resource else ""

    @property
    def ticket_type(self) -> TicketType | None:
        """Return of which type its tickets are; None: it makes none."""
        place = self.show or self.resource
        kind = place.ticket_type if place else None
        return kind if kind and kind.makes_tickets else None

    @property
    def valid_from(self) -> datetime:
        """Return from when its tickets let people in."""
        return self.show.doors_at if self.show else self.start_time

    @property
    def over_at(self) -> datetime:
        """Return when it is over."""
        return self.end_time or self.start_time + LASTS_AT_MOST

    @property
    def is_sold_by_vendor(self) -> bool:
        """Tell whether the vendor makes its tickets."""
        return bool(self.show and self.show.dead_nation_id)

    @transition(
        field=status,
        source=BookingStatus.PENDING,
        target=BookingStatus.CONFIRMED,
        custom={"action": "booking_confirmed"},
    )
    def confirm(self, *, act: Act, code: str, payment_id: str | None) -> None:
        """Become confirmed."""
        self.confirmation_code = code
        self.payment_id = payment_id
        self.confirmed_at = act.at

    @transition(
        field=status,
        source=list(STANDING),
        target=BookingStatus.CANCELLED,
        custom={"action": "booking_cancelled"},
    )
    def cancel(self, *, act: Act, refund_amount: Decimal) -> None:
        """Become cancelled, with what is paid back."""
        self.cancelled_at = act.at
        self.cancellation_reason = act.reason
        self.refund_amount = refund_amount

    @transition(
        field=status,
        source=BookingStatus.CONFIRMED,
        target=BookingStatus.COMPLETED,
        custom={"action": "booking_completed"},
    )
    def complete(self, *, act: Act) -> None:
        """Become completed: it took place."""
        self.completed_at = act.at

    @transition(
        field=status,
        source=BookingStatus.CONFIRMED,
        target=BookingStatus.NO_SHOW,
        custom={"action": "booking_no_show"},
    )
    def mark_no_show(self, *, act: Act) -> None:
        """Become a no-show: nobody came."""
        self.no_show_at = act.at

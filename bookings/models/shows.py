"""Shows: what happens once, before a number of seats."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.contrib.postgres.indexes import OpClass
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone

from bookings.models.ticket_types import TicketType
from tickets_project.values import Money

DOORS_OPEN_BEFORE = timedelta(hours=3)
LASTS_AT_MOST = timedelta(hours=6)


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
    doors_time = models.DateTimeField(
        null=True, blank=True, help_text="From when tickets are valid; empty: three hours before the start."
    )
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
            models.CheckConstraint(
                condition=Q(doors_time__isnull=True) | Q(doors_time__lte=F("start_time")),
                name="bookings_show_doors_first",
            ),
        ]
        indexes = [
            # Lists, earliest first.
            models.Index("start_time", "id", name="bookings_show_start"),
            # The admin's search by the beginning of the title.
            models.Index(OpClass(Upper("title"), name="text_pattern_ops"), name="bookings_show_title"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {timezone.localtime(self.start_time):%Y-%m-%d}"

    @property
    def seats_left(self) -> int:
        """Return how many seats can still be booked."""
        return self.number_of_tickets - self.seats_held

    @property
    def doors_at(self) -> datetime:
        """Return from when its tickets let people in."""
        return self.doors_time or self.start_time - DOORS_OPEN_BEFORE

    @property
    def over_at(self) -> datetime:
        """Return until when its tickets let people in."""
        return self.end_time or self.start_time + LASTS_AT_MOST

    @property
    def price(self) -> Money:
        """Return the price of one ticket."""
        return Money(amount=self.price_amount, currency=self.price_currency)

"""Resources: rooms, equipment and services, booked for a time within their opening hours."""

from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from bookings.models.ticket_types import TicketType
from tickets_project.values import Money

HIGHEST_PRICE = 100_000
"""What an hour costs at most."""


class Resource(models.Model):
    """Something that one customer at a time has for a while; its price is for an hour."""

    TYPES = [("room", "Room"), ("equipment", "Equipment"), ("service", "Service")]

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    type = models.CharField(max_length=9, choices=TYPES)
    name = models.CharField(max_length=200)
    location = models.CharField(max_length=200, blank=True, default="")
    # Dearer hours would not fit into the price of a month.
    price_amount = models.DecimalField(
        max_digits=10, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(HIGHEST_PRICE)]
    )
    price_currency = models.CharField(max_length=3)
    ticket_type = models.ForeignKey(
        TicketType,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Set when a confirmed booking makes a ticket.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The index serves the lists, by name."""

        indexes = [models.Index("name", "id", name="bookings_resource_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def price(self) -> Money:
        """Return the price of an hour."""
        return Money(amount=self.price_amount, currency=self.price_currency)


class OpeningHours(models.Model):
    """When a resource may be booked on a day of the week, in TICKETS_TIME_ZONE; a day without them is closed."""

    WEEKDAYS = [
        (0, "monday"),
        (1, "tuesday"),
        (2, "wednesday"),
        (3, "thursday"),
        (4, "friday"),
        (5, "saturday"),
        (6, "sunday"),
    ]

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(choices=WEEKDAYS)
    opens = models.TimeField()
    # Midnight stands for the end of the day.
    closes = models.TimeField()

    class Meta:
        """It opens before it closes."""

        ordering = ["weekday", "opens"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")) | Q(closes="00:00"), name="bookings_openinghours_close_later"
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="bookings_openinghours_weekday"),
            models.UniqueConstraint("resource", "weekday", "opens", name="bookings_openinghours_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}-{self.closes:%H:%M}"

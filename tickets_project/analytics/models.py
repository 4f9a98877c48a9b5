"""The tables: which messages have been counted, and what they come to per day."""

from django.db import models
from django.db.models import Q


class Kind(models.TextChoices):
    """What is counted."""

    BOOKED = "booked"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    PRINTED = "printed"
    REDEEMED = "redeemed"
    REFUNDED = "refunded"
    REVENUE = "revenue"


class CountedMessage(models.Model):
    """A message that is in the totals of a kind; the key keeps it from being counted twice."""

    pk = models.CompositePrimaryKey("message_id", "kind")
    message_id = models.UUIDField()
    kind = models.CharField(max_length=20, choices=Kind.choices)

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class DailyTotal(models.Model):
    """How often something happened on a day of the business, and what it was worth in one currency."""

    day = models.DateField(help_text="In the time zone that tickets show.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    currency = models.CharField(max_length=3, blank=True, help_text="Empty: nothing was paid.")
    count = models.PositiveBigIntegerField()
    amount = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        """The index of the constraint serves the dashboard and the admin, too."""

        constraints = [
            models.UniqueConstraint(fields=["day", "kind", "currency"], name="analytics_dailytotal_once"),
            models.CheckConstraint(
                condition=~Q(currency="") | Q(amount=0), name="analytics_dailytotal_amount_has_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.currency}".rstrip()

"""Ticket types: what a ticket is worth."""

from uuid import uuid4

from django.db import models


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

"""Notifications, each with what its mail says."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from tickets_project.notifications.catalogue import TEMPLATES


class State(models.TextChoices):
    """Where a notification stands."""

    PENDING = "pending"
    SENT = "sent"


class Notification(models.Model):
    """One message to one person. Its sendings are numbered from 1; one is asked for when the one before is done."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    template = models.CharField(max_length=30, choices=[(name, name.replace("_", " ")) for name in TEMPLATES])
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="notifications",
        help_text="Empty when the customer has no account.",
    )
    email = models.EmailField()
    context = models.JSONField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.PENDING)
    # What it tells of, such as booking and its id.
    about_type = models.CharField(max_length=20)
    about_id = models.CharField(max_length=36)
    correlation_id = models.TextField()
    created_at = models.DateTimeField()
    # The latest sending: when and by whom it was asked for; nobody means that the system did.
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=150, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    sendings = models.PositiveSmallIntegerField(default=0, help_text="How often it was sent.")

    class Meta:
        """The indexes serve the admin's list (newest first, by state, by template), its search, and other pages."""

        permissions = [("resend_notification", "Can send notifications again")]
        constraints = [
            models.CheckConstraint(
                condition=Q(sendings=0, sent_at__isnull=True) | Q(sendings__gt=0, sent_at__isnull=False),
                name="notifications_notification_sent_at",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sendings__gt=0), name="notifications_notification_sent"
            ),
        ]
        indexes = [
            models.Index("created_at", "id", name="notifications_created"),
            models.Index("state", "created_at", "id", name="notifications_state"),
            models.Index("template", "created_at", "id", name="notifications_template"),
            models.Index("about_id", "created_at", name="notifications_about"),
            models.Index(Upper("email"), name="notifications_email"),
        ]

    def __str__(self) -> str:
        return f"{self.get_template_display()} to {self.email}"

"""The audit trail, which the database lets nobody change."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class AuditEntry(models.Model):
    """One business action: who, what, when, from which state to which, and why. A trigger refuses UPDATE and DELETE."""

    at = models.DateTimeField()
    action = models.CharField(max_length=50)
    subject_type = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=36)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # The actor's name as it was, or which part of the system acted.
    by = models.CharField(max_length=150)
    old = models.CharField(max_length=30, blank=True, default="")
    new = models.CharField(max_length=30, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    correlation_id = models.TextField()

    class Meta:
        """The indexes serve the history of one thing, and the admin's search for a request."""

        verbose_name_plural = "audit trail"
        indexes = [
            models.Index("subject_id", "id", name="audit_entry_subject"),
            models.Index("correlation_id", name="audit_entry_correlation"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"

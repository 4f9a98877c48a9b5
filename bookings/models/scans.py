"""Scans: each time that a code was held before a scanner, admitted or not."""

from uuid import uuid4

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from bookings.models.tickets import Ticket


class ScanOutcome(models.TextChoices):
    """What a scan came to; each refusal is its stable code."""

    REDEEMED = "redeemed"
    UNKNOWN_CODE = "unknown_code"
    NOT_ACTIVE = "not_active"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    ALREADY_REDEEMED = "already_redeemed"


class Scan(models.Model):
    """One scan with its outcome; an undone one stays."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, null=True, related_name="scans")
    code = models.CharField(max_length=100)
    # Made by the scanner for each scan, so that sending it again is safe.
    nonce = models.CharField(max_length=100, null=True)  # noqa: DJ001 - unique
    scanned_at = models.DateTimeField()
    scanned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    location = models.CharField(max_length=200, blank=True, default="")
    outcome = models.CharField(max_length=16, choices=ScanOutcome.choices)
    # What a refusal told the scanner: its sentence and its further members.
    answer = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    undone_at = models.DateTimeField(null=True, editable=False)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        """A nonce is a scanner's own."""

        permissions = [("undo_scan", "Can undo a scan")]
        constraints = [
            models.UniqueConstraint(
                "scanned_by", "nonce", condition=Q(nonce__isnull=False), name="bookings_scan_nonce_once"
            )
        ]
        indexes = [
            models.Index("ticket", "scanned_at", name="bookings_scan_ticket"),
            # The scan page: one's own latest scans.
            models.Index("scanned_by", "scanned_at", "id", name="bookings_scan_scanner"),
            models.Index("scanned_at", "id", name="bookings_scan_scanned"),
            models.Index("outcome", "scanned_at", "id", name="bookings_scan_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.outcome}"

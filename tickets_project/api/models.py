"""The answers that are kept for requests which come again."""

from django.db import models


class IdempotencyKey(models.Model):
    """What was answered to a caller's request under its Idempotency-Key."""

    caller = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    # Text and not jsonb, so that the repetition has the same fields in the same order.
    body = models.TextField(blank=True)
    location = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="api_one_answer_per_key")]
        # For forget_expired.
        indexes = [models.Index(fields=["created_at"], name="api_key_created_at")]

    def __str__(self) -> str:
        return f"{self.caller}: {self.key}"

"""The tables: messages, their deliveries, who intervened, what is pruned, and the dispatchers at work."""

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Now

from tickets_project.outbox.fields import IdentityField


class Message(models.Model):
    """One published event or command. Append-only: the event log and the source of replays.

    The column names are those that Debezium's outbox event router reads by default.
    """

    KINDS = [("event", "event"), ("command", "command")]

    id = models.UUIDField(primary_key=True)
    sequence = IdentityField(unique=True, editable=False)
    kind = models.CharField(max_length=7, choices=KINDS)
    type = models.CharField(max_length=100)
    aggregatetype = models.CharField(max_length=50)
    aggregateid = models.CharField(max_length=100)
    payload = models.JSONField()
    headers = models.JSONField()
    published_at = models.DateTimeField(db_default=Now())

    class Meta:
        """The indexes serve the admin, the API and replays."""

        indexes = [
            models.Index("type", "sequence", name="outbox_message_type"),
            models.Index("aggregateid", "sequence", name="outbox_message_aggregate"),
            models.Index("published_at", name="outbox_message_published"),
            models.Index(KT("headers__correlation_id"), name="outbox_message_correlation"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Status(models.TextChoices):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"
    DISCARDED = "discarded"


class Delivery(models.Model):
    """One message on its way to one handler; the pending rows are the queue.

    A claim is a lease: `available_at` is moved to `claimed_until`, so a row whose worker died falls due by itself.
    `claimed_by` with `attempts` is the fencing token of a claim.
    """

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    handler = models.CharField(max_length=100)
    sequence = models.BigIntegerField(editable=False)
    # Set for ordered subscriptions alone: deliveries with the same key run one at a time, by sequence.
    ordering_key = models.CharField(max_length=160, null=True, editable=False)  # noqa: DJ001 - NULL keeps the index small
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    available_at = models.DateTimeField(db_default=Now())
    # The aggregate whose next message ends the wait of a handler that answered NotYet.
    waits_for = models.CharField(max_length=100, blank=True, default="")
    waiting_since = models.DateTimeField(null=True, blank=True)
    claimed_by = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The pending index is the queue; delivered rows cost it nothing."""

        verbose_name_plural = "deliveries"
        permissions = [("repair_delivery", "Can retry and discard deliveries")]
        constraints = [
            models.UniqueConstraint("message", "handler", name="outbox_delivery_once"),
            models.CheckConstraint(
                condition=Q(status="delivered", delivered_at__isnull=False)
                | (~Q(status="delivered") & Q(delivered_at__isnull=True)),
                name="outbox_delivery_delivered_at",
            ),
        ]
        indexes = [
            # Claiming: each handler's oldest due rows.
            models.Index("handler", "available_at", "id", condition=Q(status="pending"), name="outbox_delivery_queue"),
            # Claiming ordered ones: is an earlier one still open?
            models.Index(
                "handler",
                "ordering_key",
                "sequence",
                condition=Q(status__in=["pending", "parked"], ordering_key__isnull=False),
                name="outbox_delivery_order",
            ),
            # Publishing: who waits for this aggregate?
            models.Index("waits_for", condition=Q(status="pending") & ~Q(waits_for=""), name="outbox_delivery_waits"),
            # Renewing and releasing the leases of one dispatcher.
            models.Index(
                "claimed_by", condition=Q(status="pending", claimed_by__isnull=False), name="outbox_delivery_claims"
            ),
            # The admin and the API: what needs a person. Without what is pending, or claims would read it by this one.
            models.Index(
                "status", "id", condition=Q(status__in=["parked", "discarded"]), name="outbox_delivery_parked"
            ),
            models.Index("handler", "id", name="outbox_delivery_handler"),
        ]

    def __str__(self) -> str:
        return f"{self.handler} #{self.pk}"


class Intervention(models.Model):
    """Someone re-opened or closed a delivery by hand; append-only."""

    ACTIONS = [("replayed", "replayed"), ("retried", "retried"), ("discarded", "discarded")]

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="interventions")
    action = models.CharField(max_length=9, choices=ACTIONS)
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True, default="")
    previous_status = models.CharField(max_length=9, blank=True, help_text="Empty: the delivery was made by a replay.")
    previous_error = models.TextField(blank=True, default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        """Read with the delivery, newest first."""

        ordering = [F("id").desc()]

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"


class PrunedType(models.Model):
    """How many messages of a type are pruned: what replays and rebuilds can no longer read."""

    type = models.CharField(primary_key=True, max_length=100)
    messages = models.PositiveBigIntegerField()
    until = models.DateTimeField(help_text="When the youngest of them was published.")

    def __str__(self) -> str:
        return f"{self.messages} {self.type} until {self.until:%Y-%m-%d}"


class Dispatcher(models.Model):
    """A dispatch task at work: what health checks and the supervisor look at."""

    id = models.UUIDField(primary_key=True)
    cluster = models.CharField(max_length=100)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        """The supervisor asks for the dispatchers of its own cluster."""

        indexes = [models.Index("cluster", name="outbox_dispatcher_cluster")]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"

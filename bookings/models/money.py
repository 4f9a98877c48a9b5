"""Money after the booking: receipts, refunds, and the rows of the tracker sheets."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from bookings.models.bookings import Booking
from bookings.models.tickets import Ticket
from tickets_project.audit.acts import Act
from tickets_project.audit.states import StateManager
from tickets_project.values import Money


class Receipt(models.Model):
    """A ticket's receipt; without a number the service has been asked and has not answered yet."""

    ticket = models.OneToOneField(Ticket, on_delete=models.PROTECT, primary_key=True, related_name="receipt")
    asked_at = models.DateTimeField()
    number = models.CharField(max_length=100, blank=True, default="")
    issued_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        """The index serves the list, newest first."""

        indexes = [models.Index("asked_at", "ticket", name="bookings_receipt_asked")]

    def __str__(self) -> str:
        return self.number or f"asked for {self.ticket_id}"


class RefundState(models.TextChoices):
    """Where a refund stands; `manual` and `paid` are those that a person pays."""

    REQUESTED = "requested"
    RECEIPT_VOIDED = "receipt_voided"
    REFUNDED = "refunded"
    FAILED = "failed"
    MANUAL = "manual"
    PAID = "paid"


class Refund(FSMModelMixin, models.Model):
    """Money on its way back: for one ticket by itself, or an amount of a booking that a person pays."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, related_name="refunds")
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, null=True, related_name="refunds")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    status = FSMField(choices=RefundState.choices, default=RefundState.REQUESTED, protected=True, max_length=14)
    reason = models.TextField(blank=True, default="")
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=150)
    finished_at = models.DateTimeField(null=True, editable=False)
    failure = models.TextField(blank=True, default="", editable=False)

    objects = StateManager()

    class Meta:
        """A ticket is refunded once: a new attempt needs the failure of the one before."""

        permissions = [("request_refund", "Can request refunds"), ("pay_refund", "Can mark manual refunds paid")]
        constraints = [
            models.UniqueConstraint(
                "ticket", condition=Q(ticket__isnull=False) & ~Q(status="failed"), name="bookings_refund_ticket_once"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="bookings_refund_amount"),
            models.CheckConstraint(
                condition=Q(ticket__isnull=False) | Q(booking__isnull=False), name="bookings_refund_of_something"
            ),
        ]
        indexes = [
            models.Index("requested_at", "id", name="bookings_refund_requested"),
            models.Index("status", "requested_at", "id", name="bookings_refund_status"),
        ]

    def __str__(self) -> str:
        return f"{self.money}, {self.status}"

    @property
    def money(self) -> Money:
        """Return how much is paid back."""
        return Money(amount=self.amount, currency=self.currency)

    @transition(
        field=status,
        source=RefundState.REQUESTED,
        target=RefundState.RECEIPT_VOIDED,
        custom={"action": "refund_receipt_voided"},
    )
    def void_receipt(self, *, act: Act) -> None:
        """Have no valid receipt any more."""

    @transition(
        field=status,
        source=[RefundState.REQUESTED, RefundState.RECEIPT_VOIDED],
        target=RefundState.REFUNDED,
        custom={"action": "refund_finished"},
    )
    def finish(self, *, act: Act) -> None:
        """Be paid back by the payments service."""
        self.finished_at = act.at

    @transition(
        field=status,
        source=[RefundState.REQUESTED, RefundState.RECEIPT_VOIDED],
        target=RefundState.FAILED,
        custom={"action": "refund_failed"},
    )
    def fail(self, *, act: Act) -> None:
        """Be refused by a service."""
        self.failure = act.reason

    @transition(
        field=status,
        source=RefundState.FAILED,
        target=RefundState.REQUESTED,
        custom={"action": "refund_tried_again"},
    )
    def try_again(self, *, act: Act) -> None:  # noqa: ARG002 - the audit trail reads it
        """Be on its way again."""
        self.failure = ""

    @transition(
        field=status,
        source=RefundState.MANUAL,
        target=RefundState.PAID,
        custom={"action": "refund_paid"},
    )
    def pay(self, *, act: Act) -> None:
        """Be paid by a person."""
        self.finished_at = act.at


class TrackerRow(models.Model):
    """A ticket's row of a tracker sheet; the sheets take a row twice, so ours says whether it is there."""

    ticket_id = models.UUIDField()
    sheet = models.CharField(max_length=50)
    asked_at = models.DateTimeField()
    appended_at = models.DateTimeField(null=True)

    class Meta:
        """One row per ticket and sheet."""

        constraints = [models.UniqueConstraint("ticket_id", "sheet", name="bookings_trackerrow_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id} in {self.sheet}"

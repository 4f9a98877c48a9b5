"""What a person may do with a delivery: retry it now, or discard it with a reason. Both stay on record."""

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from tickets_project.outbox.claiming import is_claimed
from tickets_project.outbox.errors import DeliveryClosed, DeliveryRunning, ReasonMissing
from tickets_project.outbox.models import Delivery, Intervention, Status
from tickets_project.outbox.publishing import wake


@transaction.atomic
def retry_delivery(delivery_id: int, *, by: str, at: datetime, reason: str = "") -> Delivery:
    """Make a pending or parked delivery due now, with its attempts counted anew.

    :raises DeliveryClosed: if it is delivered or discarded
    :raises DeliveryRunning: if a worker has it in hand
    :raises Delivery.DoesNotExist: if there is none
    """
    delivery = _open_delivery(delivery_id, at=at)
    _record(delivery, "retried", by=by, reason=reason)
    reopen(delivery)
    wake()
    return delivery


@transaction.atomic
def discard_delivery(delivery_id: int, *, by: str, at: datetime, reason: str) -> Delivery:
    """Close a pending or parked delivery without running it.

    :raises ReasonMissing: if the reason is blank
    :raises DeliveryClosed: if it is delivered or discarded
    :raises DeliveryRunning: if a worker has it in hand
    :raises Delivery.DoesNotExist: if there is none
    """
    if not reason.strip():
        raise ReasonMissing
    delivery = _open_delivery(delivery_id, at=at)
    _record(delivery, "discarded", by=by, reason=reason)
    delivery.status = Status.DISCARDED
    delivery.save(update_fields=["status"])
    # An ordered successor may go on.
    wake()
    return delivery


def reopen(delivery: Delivery, *, due_at: datetime | None = None) -> None:
    """Make a locked delivery pending, as if it had never been tried, and due then or now; its last error stays."""
    delivery.status = Status.PENDING
    delivery.attempts = 0
    delivery.available_at = due_at or Now()
    delivery.waits_for = ""
    delivery.waiting_since = delivery.claimed_by = delivery.claimed_until = delivery.delivered_at = None
    delivery.save()


def _open_delivery(delivery_id: int, *, at: datetime) -> Delivery:
    delivery = Delivery.objects.select_for_update().get(id=delivery_id)
    if delivery.status not in (Status.PENDING, Status.PARKED):
        raise DeliveryClosed(current_status=delivery.status)
    if is_claimed(delivery, at=at):
        raise DeliveryRunning(current_status=delivery.status)
    return delivery


def _record(delivery: Delivery, action: str, *, by: str, reason: str) -> None:
    Intervention.objects.create(
        delivery=delivery,
        action=action,
        by=by,
        reason=reason,
        previous_status=delivery.status,
        previous_error=delivery.last_error,
    )

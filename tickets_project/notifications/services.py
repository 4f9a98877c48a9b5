"""Writes of notifications."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from tickets_project.correlation import current_trace
from tickets_project.notifications.catalogue import stored_context
from tickets_project.notifications.commands import SendNotification
from tickets_project.notifications.errors import NotificationPending
from tickets_project.notifications.models import Notification, State
from tickets_project.outbox.messages import Message
from tickets_project.outbox.publishing import publish


def notify(  # noqa: PLR0913 - what a notification consists of
    *,
    template: str,
    recipient_id: int | None,
    email: str,
    context: Mapping[str, Any],
    about: tuple[str, str],
    at: datetime,
    told: Sequence[Message] = (),
) -> Notification:
    """Store a notification and have it sent, both in the caller's transaction.

    :param recipient_id: the account of whom it is for, None when there is none
    :param template: a name in the catalogue, which says what stands in `context`
    :param about: the type and the id of what it tells of, such as `("booking", "…")`
    :param told: what is published before it, at the cost of one statement for all
    :raises ValueError: if the context is not what the template needs
    :raises NotInTransaction: if no transaction is open
    """
    notification = Notification(
        template=template,
        recipient_id=recipient_id,
        email=email,
        context=stored_context(template, context),
        about_type=about[0],
        about_id=about[1],
        correlation_id=current_trace().correlation_id,
        created_at=at,
        requested_at=at,
    )
    # First, since it refuses to work outside a transaction, where the row would stay without it.
    publish(*told, SendNotification(notification_id=str(notification.id)))
    notification.save(force_insert=True)
    return notification


@transaction.atomic
def resend(*, notification_id: UUID, by: str, at: datetime) -> Notification:
    """Have a notification sent once more.

    :param by: the name of the user who asks for it
    :raises NotificationPending: if it is on its way
    :raises Notification.DoesNotExist: if there is none
    """
    notification = Notification.objects.select_for_update().get(id=notification_id)
    if notification.state == State.PENDING:
        raise NotificationPending
    notification.state = State.PENDING
    notification.requested_at, notification.requested_by = at, by
    notification.save(update_fields=["state", "requested_at", "requested_by"])
    publish(SendNotification(notification_id=str(notification_id), sending=notification.sendings + 1, requested_by=by))
    return notification


def record_sent(*, notification_id: UUID, sending: int, at: datetime) -> None:
    """Note that this sending is done; a second note of it changes nothing."""
    Notification.objects.filter(id=notification_id, sendings__lt=sending).update(
        state=State.SENT, sent_at=at, sendings=sending
    )

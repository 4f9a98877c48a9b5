"""What notifications do when a message arrives."""

from functools import partial
from uuid import UUID

from django.utils import timezone

from tickets_project.notifications.commands import SendNotification
from tickets_project.notifications.mail_servers import hand_over
from tickets_project.notifications.mails import compose
from tickets_project.notifications.models import Notification
from tickets_project.notifications.services import record_sent
from tickets_project.outbox.retries import RetryPolicy
from tickets_project.outbox.subscriptions import Recording

# Three days, nearly all of them every two hours: a mail server that is back is noticed soon enough.
RETRY = RetryPolicy(delays=(5, 30, 120, 600, 1800, 3600, *[7200] * 35))


def send_notification(message: SendNotification) -> Recording | None:
    """Send the mail, unless this sending of it is done.

    :raises GiveUp: if it can never be sent
    """
    notification = Notification.objects.get(id=UUID(message.notification_id))
    if notification.sendings >= message.sending:
        return None
    hand_over(compose(notification, sending=message.sending))
    return partial(record_sent, notification_id=notification.id, sending=message.sending, at=timezone.now())

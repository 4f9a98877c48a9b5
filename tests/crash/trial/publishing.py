"""Publishing for the trials, and telling when all of it is delivered."""

from django.db import transaction

from tickets_project.outbox.messages import Message
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.publishing import publish


def publish_at_once(*messages: Message) -> None:
    """Publish in one transaction."""
    with transaction.atomic():
        publish(*messages)


def all_delivered() -> bool:
    return not Delivery.objects.exclude(status=Status.DELIVERED).exists()

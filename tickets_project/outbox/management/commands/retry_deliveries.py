"""`retry_deliveries`: try parked or waiting deliveries again now."""

from typing import Any

from django.utils import timezone

from tickets_project.outbox.management.arguments import operator
from tickets_project.outbox.management.repair_command import RepairCommand
from tickets_project.outbox.repairing import retry_delivery


class Command(RepairCommand):
    """Makes deliveries due."""

    help = "Try deliveries again now: those with the given numbers, or all that match (parked ones by default)."
    done = "retried"

    def repair(self, delivery_id: int, options: dict[str, Any]) -> None:  # noqa: ARG002 - discarding needs them
        """Retry one delivery."""
        retry_delivery(delivery_id, by=operator(), at=timezone.now())

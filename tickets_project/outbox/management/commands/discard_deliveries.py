"""`discard_deliveries`: close deliveries that shall never run."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from tickets_project.outbox.management.arguments import operator
from tickets_project.outbox.management.repair_command import RepairCommand
from tickets_project.outbox.repairing import discard_delivery


class Command(RepairCommand):
    """Discards deliveries, with a reason."""

    help = "Discard deliveries: those with the given numbers, or all that match (parked ones by default)."
    done = "discarded"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the reason."""
        super().add_arguments(parser)
        parser.add_argument("--reason", required=True, help="why; it stays on record")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Refuse a blank reason before anything is done."""
        if not options["reason"].strip():
            raise CommandError("Give a --reason that says why; it stays on record.")
        super().handle(*arguments, **options)

    def repair(self, delivery_id: int, options: dict[str, Any]) -> None:
        """Discard one delivery."""
        discard_delivery(delivery_id, by=operator(), at=timezone.now(), reason=options["reason"])

"""What `retry_deliveries` and `discard_deliveries` have in common."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tickets_project.outbox.errors import DeliveryClosed, DeliveryRunning
from tickets_project.outbox.management.arguments import add_delivery_filters, positive, selected_deliveries


class RepairCommand(BaseCommand):
    """Does one thing to each selected delivery; those that meanwhile closed or run are left alone."""

    done = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the filters, the ids and the dry run."""
        parser.add_argument(
            "ids", nargs="*", type=positive, metavar="ID", help="delivery numbers; none: all that match"
        )
        parser.add_argument("--dry-run", action="store_true", help="say how many, change nothing")
        add_delivery_filters(parser, status=None)

    def repair(self, delivery_id: int, options: dict[str, Any]) -> None:
        """Do it to one delivery."""
        raise NotImplementedError

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Repair one by one, each in its own transaction, and print the count."""
        ids = self._selected_ids(options)
        if options["dry_run"]:
            self.stdout.write(f"{len(ids)} deliveries would be {self.done}.")
            return
        repaired = sum(self._try(delivery_id, options) for delivery_id in ids)
        self.stdout.write(f"{repaired} deliveries {self.done}, {len(ids) - repaired} left alone.")

    def _selected_ids(self, options: dict[str, Any]) -> list[int]:
        if not options["ids"]:
            options["status"] = options["status"] or "parked"
            return list(selected_deliveries(options).values_list("id", flat=True))
        found = set(selected_deliveries(options).filter(id__in=options["ids"]).values_list("id", flat=True))
        if missing := [str(number) for number in options["ids"] if number not in found]:
            raise CommandError(f"No such delivery: {', '.join(missing)}.")
        return sorted(found)

    def _try(self, delivery_id: int, options: dict[str, Any]) -> bool:
        try:
            self.repair(delivery_id, options)
        except (DeliveryClosed, DeliveryRunning) as refusal:
            self.stderr.write(f"{delivery_id}: {refusal}")
            return False
        return True

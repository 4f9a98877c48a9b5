"""`list_deliveries`: what waits, what is parked and why."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tickets_project.outbox.management.arguments import add_delivery_filters, positive, selected_deliveries
from tickets_project.outbox.models import Delivery


class Command(BaseCommand):
    """Prints one line per delivery."""

    help = "List deliveries, oldest first, with the last line of their error."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the filters and a limit."""
        add_delivery_filters(parser, status=None)
        parser.add_argument("--limit", type=positive, default=100, help="lines at the most (100)")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print the lines, and how many more there are."""
        deliveries = selected_deliveries(options)
        for delivery in deliveries[: options["limit"]]:
            self.stdout.write(_line(delivery))
        if (more := deliveries.count() - options["limit"]) > 0:
            self.stdout.write(f"and {more} more")


def _line(delivery: Delivery) -> str:
    error = delivery.last_error.strip().rpartition("\n")[2]
    return (
        f"{delivery.pk:>8}  {delivery.status:<9}  {delivery.attempts:>2} attempts  {delivery.handler:<30}  "
        f"{delivery.message.type:<28}  {delivery.message.aggregateid}  {error}"
    ).rstrip()

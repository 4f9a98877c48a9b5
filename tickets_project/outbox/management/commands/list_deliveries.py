"""`list_deliveries`: what waits, what is parked and why."""

from argparse import ArgumentParser
from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand

from tickets_project.outbox.management.arguments import add_delivery_filters, positive, selected_deliveries
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.queries import ParkedGroup, parked_groups


class Command(BaseCommand):
    """Prints one line per delivery, or per group of parked ones."""

    help = "List deliveries, oldest first, with the last line of their error."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the filters and a limit."""
        add_delivery_filters(parser, status=None)
        parser.add_argument("--limit", type=positive, default=100, help="lines at the most (100)")
        parser.add_argument("--grouped", action="store_true", help="count the parked ones by handler and exception")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print the lines, and how many more there are."""
        deliveries = selected_deliveries(options)
        lines: Iterable[str]
        if options["grouped"]:
            groups = parked_groups(deliveries)
            lines, count = map(_group_line, groups), len(groups)
        else:
            lines, count = map(_line, deliveries[: options["limit"]]), deliveries.count()
        for line in islice(lines, options["limit"]):
            self.stdout.write(line)
        if (more := count - options["limit"]) > 0:
            self.stdout.write(f"and {more} more")


def _group_line(group: ParkedGroup) -> str:
    return f"{group.deliveries:>8}  {group.handler:<30}  {group.exception:<40}  since {group.since.isoformat()}"


def _line(delivery: Delivery) -> str:
    error = delivery.last_error.strip().rpartition("\n")[2]
    return (
        f"{delivery.pk:>8}  {delivery.status:<9}  {delivery.attempts:>2} attempts  {delivery.handler:<30}  "
        f"{delivery.message.type:<28}  {delivery.message.aggregateid}  {error}"
    ).rstrip()

"""`prune_outbox`: delete now what the schedule deletes bit by bit."""

import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from tickets_project.outbox.models import PrunedType
from tickets_project.outbox.pruning import Pruned, count_prunable, prune


class Command(BaseCommand):
    """Counts what may go, then deletes it in batches."""

    help = (
        "Delete closed deliveries and old messages, as OUTBOX_KEEP_DELIVERED_DAYS and OUTBOX_KEEP_MESSAGES_DAYS say. "
        "Each batch commits by itself, while work goes on; after SIGTERM or Ctrl-C the one in hand is finished."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the dry run."""
        parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, change nothing")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print what the settings let go; unless it is a dry run, delete it behind a progress bar."""
        at = timezone.now()
        prunable = count_prunable(at=at)
        self.stdout.write(
            f"{prunable.deliveries} deliveries, {_kept('OUTBOX_KEEP_DELIVERED_DAYS')}\n"
            f"{prunable.messages} messages with all of their deliveries, {_kept('OUTBOX_KEEP_MESSAGES_DAYS')}"
        )
        for pruned in PrunedType.objects.order_by("type"):
            self.stdout.write(f"pruned so far: {pruned}")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
            return
        with Progress(console=Console(stderr=True), transient=True) as bar, _stopping() as stop:
            task = bar.add_task("Pruning", total=prunable.deliveries + prunable.messages)
            outcome = prune(at=at, stop=stop.is_set, progress=lambda count: bar.update(task, advance=count))
        self._report(outcome)

    def _report(self, outcome: Pruned) -> None:
        self.stdout.write(f"{outcome.deliveries} deliveries and {outcome.messages} messages deleted.")
        if not outcome.finished:
            self.stdout.write("Stopped before the end: run it again, or leave the rest to the schedule.")


def _kept(setting: str) -> str:
    days = getattr(settings, setting)
    return f"kept for {days} days ({setting})" if days else f"kept for ever ({setting}=0)"


@contextmanager
def _stopping() -> Iterator[Event]:
    """Yield what SIGTERM and Ctrl-C set."""
    stop, numbers = Event(), (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

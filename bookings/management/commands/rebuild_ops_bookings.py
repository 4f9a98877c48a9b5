"""`rebuild_ops_bookings`: gather the ops read model anew from all stored messages."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console
from rich.progress import Progress

from bookings.handlers.read_model import HANDLERS
from bookings.services.rebuilding import Rebuilt, count_messages, rebuild_ops_bookings
from tickets_project.outbox.errors import MessagesPruned

INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended."""

WITH_LOSS = "With --accept-loss its bookings are those that the stored messages still tell of."


class Command(BaseCommand):
    """Says what is stored, then rebuilds behind a progress bar."""

    help = (
        "Forget the ops read model and gather it anew from the stored messages, in one transaction: readers see the "
        "old rows until the end, and what is delivered meanwhile waits and comes after. Messages that are unknown or "
        "cannot be read are skipped and counted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the dry run, and what a rebuild after pruning needs."""
        parser.add_argument("--accept-loss", action="store_true", help="also when messages that it hears are pruned")
        parser.add_argument("--dry-run", action="store_true", help="say what would be read, change nothing")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print what is stored; unless it is a dry run, rebuild and print what came of it."""
        stored = count_messages()
        self.stdout.write(f"{stored.total()} messages")
        self._list(stored)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
        else:
            self._report(_rebuild(stored.total(), accept_loss=options["accept_loss"]))

    def _report(self, rebuilt: Rebuilt) -> None:
        applied = rebuilt.applied.total()
        self.stdout.write(f"{applied + rebuilt.skipped} messages read: {applied} applied, {rebuilt.skipped} skipped.")
        self._list(rebuilt.unheard, why=": the read model does not hear it")
        self._list(rebuilt.unreadable, why=": unreadable, see the log")

    def _list(self, counts: Counter[str], *, why: str = "") -> None:
        for name, count in sorted(counts.items()):
            self.stdout.write(f"{count:>8}  {name}{why}")


def _rebuild(messages: int, *, accept_loss: bool) -> Rebuilt:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Rebuilding", total=messages)
        try:
            return rebuild_ops_bookings(
                HANDLERS, accept_loss=accept_loss, progress=lambda count: bar.update(task, advance=count)
            )
        except MessagesPruned as refusal:
            raise CommandError(f"{refusal.detail} {WITH_LOSS}") from refusal
        except KeyboardInterrupt as stop:
            raise CommandError("Interrupted: the read model is as it was.", returncode=INTERRUPTED) from stop
        except DatabaseError as error:
            raise CommandError(f"The read model is as it was: {error}") from error

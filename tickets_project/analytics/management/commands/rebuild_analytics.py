"""`rebuild_analytics`: count every stored message anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console
from rich.progress import Progress

from tickets_project.analytics.rebuilding import plan_rebuild, rebuild
from tickets_project.outbox.errors import MessagesPruned
from tickets_project.outbox.management.arguments import operator
from tickets_project.outbox.replaying import Plan
from tickets_project.refusals import DomainError

WITH_LOSS = "With --accept-loss the numbers begin where the messages do."


class Command(BaseCommand):
    """Says what would be counted, then forgets the numbers and replays."""

    help = (
        "Empty the numbers and deliver every stored message to analytics once more, while work goes on. "
        "The worker counts them; until it is done, the numbers of past days are too low. Run it after a change of "
        "TICKETS_TIME_ZONE, or to count what was published before a handler of analytics existed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the dry run, and what a rebuild after pruning needs."""
        parser.add_argument("--accept-loss", action="store_true", help="also when messages that counted are pruned")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print the plan; unless it is a dry run, carry it out behind a progress bar."""
        plan = _plan()
        self.stdout.write(f"{plan.messages} messages")
        for handler, count in sorted(plan.deliveries.items()):
            self.stdout.write(f"{count:>8}  {handler}")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
        else:
            self.stdout.write(f"{_carry_out(plan, accept_loss=options['accept_loss'])} deliveries opened.")


def _plan() -> Plan:
    try:
        return plan_rebuild()
    except DomainError as refusal:
        raise CommandError(refusal.detail) from refusal


def _carry_out(plan: Plan, *, accept_loss: bool) -> int:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Rebuilding", total=plan.messages)
        try:
            return rebuild(
                by=operator(), accept_loss=accept_loss, progress=lambda count: bar.update(task, advance=count)
            )
        except MessagesPruned as refusal:
            raise CommandError(f"{refusal.detail} {WITH_LOSS}") from refusal
        except DatabaseError as error:
            raise CommandError(f"Numbers may be missing, so run it again: {error}") from error

"""`replay_outbox`: deliver stored messages once more."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from tickets_project.outbox.errors import NotReplayable, UnknownHandler
from tickets_project.outbox.management.arguments import instant, known, operator, positive
from tickets_project.outbox.replaying import Plan, Selection, plan_replay, replay
from tickets_project.outbox.subscriptions import subscriptions


class Command(BaseCommand):
    """Plans a replay, then runs it in batches."""

    help = (
        "Open the deliveries of stored messages once more, oldest first. Pending ones are left alone; "
        "a handler that is newer than a message gets its first delivery of it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what selects messages and handlers, and how to go about it."""
        parser.add_argument("--id", action="append", type=UUID, default=[], help="message id; may be repeated")
        parser.add_argument("--type", action="append", default=[], help="stored name; may be repeated")
        parser.add_argument("--since", type=instant, help="published at or after, e.g. 2026-05-01T09:00:00Z")
        parser.add_argument("--until", type=instant, help="published at or before")
        parser.add_argument("--aggregate", help="id of the booking, ticket, … that the messages are about")
        parser.add_argument("--handler", action="append", default=[], help="this handler only; may be repeated")
        parser.add_argument("--all", action="store_true", help="needed when nothing else selects messages")
        parser.add_argument("--force", action="store_true", help="also handlers that must not be repeated")
        parser.add_argument("--rate", type=positive, help="messages a second at the most")
        parser.add_argument("--reason", default="", help="stays on record")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print the plan; unless it is a dry run, carry it out behind a progress bar."""
        plan = _plan(options)
        self.stdout.write(f"{plan.messages} messages")
        for handler, count in sorted(plan.deliveries.items()):
            self.stdout.write(f"{count:>8}  {handler}")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
        else:
            self._carry_out(plan, options)

    def _carry_out(self, plan: Plan, options: dict[str, Any]) -> None:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Replaying", total=plan.messages)
            opened = replay(
                plan,
                by=operator(),
                reason=options["reason"],
                rate=options["rate"],
                progress=lambda count: bar.update(task, advance=count),
            )
        self.stdout.write(f"{opened} deliveries opened.")


def _plan(options: dict[str, Any]) -> Plan:
    selection = Selection(
        ids=tuple(options["id"]),
        types=tuple(options["type"]),
        since=options["since"],
        until=options["until"],
        aggregate_id=options["aggregate"],
        handlers=tuple(options["handler"]),
        force=options["force"],
    )
    for name in selection.types:
        known(name, subscriptions().names(), "message type")
    if selection in (Selection(), Selection(force=True)) and not options["all"]:
        raise CommandError("Say which messages: --id, --type, --since, --until, --aggregate, --handler or --all.")
    try:
        return plan_replay(selection)
    except (UnknownHandler, NotReplayable) as refusal:
        raise CommandError(str(refusal)) from refusal

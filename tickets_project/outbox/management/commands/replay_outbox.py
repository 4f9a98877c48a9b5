"""`replay_outbox`: deliver stored messages once more."""

import signal
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console
from rich.progress import Progress

from tickets_project.outbox.errors import NotReplayable, UnknownHandler
from tickets_project.outbox.management.arguments import instant, known, operator, positive
from tickets_project.outbox.replaying import Plan, Replay, Selection, plan_replay
from tickets_project.outbox.subscriptions import subscriptions


class Command(BaseCommand):
    """Plans a replay, then runs it in batches until it is done or stopped."""

    help = (
        "Open the deliveries of stored messages once more, oldest first. Pending ones are left alone; a handler that "
        "is newer than a message gets its first delivery of it. What is published from now on is not part of it. "
        "Ctrl-C and SIGTERM end it after the batch in hand, and it says how to go on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what selects messages and handlers, and how to go about it."""
        parser.add_argument("--id", action="append", type=UUID, default=[], help="message id; may be repeated")
        parser.add_argument("--type", action="append", default=[], help="stored name; may be repeated")
        parser.add_argument("--since", type=instant, help="published at or after, e.g. 2026-05-01T09:00:00Z")
        parser.add_argument("--until", type=instant, help="published at or before")
        parser.add_argument("--after", type=positive, default=0, help="sequence: only messages after this one")
        parser.add_argument("--aggregate", help="id of the booking, ticket, … that the messages are about")
        parser.add_argument("--handler", action="append", default=[], help="this handler only; may be repeated")
        parser.add_argument("--all", action="store_true", help="needed when nothing else selects messages")
        parser.add_argument("--force", action="store_true", help="also handlers that must not be repeated")
        parser.add_argument("--rate", type=positive, help="deliveries that fall due in a second, at the most")
        parser.add_argument("--reason", default="", help="stays on record")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print the plan; unless it is a dry run, carry it out behind a progress bar."""
        plan = _plan(options)
        for line in _lines(plan):
            self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
        else:
            self._carry_out(plan, options)

    def _carry_out(self, plan: Plan, options: dict[str, Any]) -> None:
        run = Replay(plan, by=operator(), reason=options["reason"], rate=options["rate"])
        with Progress(console=Console(stderr=True), transient=True) as bar, _stopped_by_signals(run.stop):
            task = bar.add_task("Replaying", total=plan.messages)
            try:
                run.run(lambda count: bar.update(task, advance=count))
            except DatabaseError as error:
                raise CommandError(f"{error} {_how_to_go_on(run, plan)}") from error
        if not run.is_finished:
            raise CommandError(_how_to_go_on(run, plan))
        self.stdout.write(f"{run.opened} deliveries opened.")


def _plan(options: dict[str, Any]) -> Plan:
    selection = Selection(
        ids=tuple(options["id"]),
        types=tuple(options["type"]),
        since=options["since"],
        until=options["until"],
        after=options["after"],
        aggregate_id=options["aggregate"],
        handlers=tuple(options["handler"]),
        force=options["force"],
    )
    for name in selection.types:
        known(name, subscriptions().names(), "message type")
    if selection in (Selection(), Selection(force=True)) and not options["all"]:
        raise CommandError(
            "Say which messages: --id, --type, --since, --until, --after, --aggregate, --handler, --all."
        )
    try:
        return plan_replay(selection)
    except (UnknownHandler, NotReplayable) as refusal:
        raise CommandError(str(refusal)) from refusal


def _lines(plan: Plan) -> Iterator[str]:
    """Yield the plan: each type with its messages, and below it each handler with the deliveries to be opened."""
    yield f"{plan.messages} messages"
    for name, messages in sorted(plan.types.items()):
        yield f"{messages:>8}  {name}"
        for entry in plan.selection.subscriptions_of(name):
            yield f"{plan.deliveries[entry.key]:>12}  {entry.key}"
    if plan.left_out:
        yield f"Left out, for they must not be repeated: {', '.join(plan.left_out)}. --force repeats them too."


def _how_to_go_on(run: Replay, plan: Plan) -> str:
    until = min(plan.selection.until or plan.as_of, plan.as_of)
    after = f"--after {run.last_sequence} " if run.last_sequence else ""
    return (
        f"Stopped after {run.messages} of {plan.messages} messages, {run.opened} deliveries opened. "
        f"To go on, give the same arguments with {after}--until {until.isoformat()}"
    )


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first Ctrl-C or SIGTERM; the second one does what it always does."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        restore()
        stop()

    before = {number: signal.signal(number, on_signal) for number in numbers}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        yield
    finally:
        restore()

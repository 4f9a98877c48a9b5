"""Arguments that the commands on deliveries share."""

import argparse
import getpass
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from tickets_project.outbox.models import Delivery, Message, Status
from tickets_project.outbox.queries import matching_deliveries
from tickets_project.outbox.subscriptions import subscriptions


def instant(text: str) -> datetime:
    """Return an RFC 3339 time with its offset."""
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time with an offset, such as 2026-05-01T09:00:00Z")
    return at


def positive(text: str) -> int:
    """Return a whole number above zero."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above zero")
    return int(text)


def add_delivery_filters(parser: ArgumentParser, *, status: str | None) -> None:
    """Add the filters; `status` is the default."""
    parser.add_argument("--status", choices=Status.values, default=status)
    parser.add_argument("--handler", metavar="KEY")
    parser.add_argument("--type", metavar="NAME", help="stored name of the message")
    parser.add_argument("--aggregate", metavar="ID", help="id of the booking, ticket, … that the message is about")
    parser.add_argument("--error", metavar="TEXT", help="a part of the last error")
    parser.add_argument("--exception", metavar="CLASS", help="class of the last error, such as TemporaryUpstreamError")


def selected_deliveries(options: dict[str, Any]) -> QuerySet[Delivery]:
    """Return the deliveries that the filters describe; those of a handler that is gone are found by its key, too.

    :raises CommandError: if the handler or the type is unknown, and there is no delivery of it
    """
    if not Delivery.objects.filter(handler=options["handler"]).exists():
        known(options["handler"], [entry.key for entry in subscriptions()], "handler")
    if not Message.objects.filter(type=options["type"]).exists():
        known(options["type"], subscriptions().names(), "message type")
    return matching_deliveries(
        status=options["status"],
        handler=options["handler"],
        message_type=options["type"],
        aggregate_id=options["aggregate"],
        text=options["error"],
        exception=options["exception"],
    )


def known(name: str | None, names: list[str], what: str) -> None:
    """Refuse a name that is not in the table.

    :raises CommandError: with the names that are
    """
    if name is not None and name not in names:
        raise CommandError(f"There is no {what} {name}. There are: {', '.join(sorted(names))}.")


def operator() -> str:
    """Return who runs the command, as it is put on record."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"

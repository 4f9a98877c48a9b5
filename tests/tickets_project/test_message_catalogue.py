"""docs/messages.md says what the code says."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from tickets_project.notifications.catalogue import TEMPLATES
from tickets_project.subscriptions import SUBSCRIPTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]


def documented() -> dict[str, tuple[str, list[str]]]:
    """Return each message's aggregate and fields, as the page has them."""
    rows = [row for row in ROWS if len(row) == 4]
    return {name.strip("`"): (about, re.findall(r"\w+", said)) for name, about, said, _ in rows}


def names_in(cell: str) -> set[str]:
    return {name for name in cell.split(", ") if name}


def declared(message: Any) -> tuple[str, list[str]]:
    return message.AGGREGATE[0], [field.name for field in fields(message) if field.name != "header"]


class TestMessagesPage:
    def test_has_each_message_with_its_fields(self) -> None:
        assert documented() == {message.NAME: declared(message) for message in SUBSCRIPTIONS.declared}

    def test_has_each_handler(self) -> None:
        told = [(row[0].strip("`"), row[1]) for row in ROWS if len(row) == 3 and "." in row[1].split("`")[1]]
        heard = [
            (entry.message.NAME, f"`{entry.key}`{' (external)' if entry.external else ''}") for entry in SUBSCRIPTIONS
        ]
        assert told == heard

    def test_has_each_notification_with_its_facts(self) -> None:
        rows = [row for row in ROWS if len(row) == 5]
        told = {name.strip("`"): (names_in(facts), names_in(also)) for name, _, facts, also, _ in rows}
        assert told == {name: (set(facts.required), set(facts.optional)) for name, facts in TEMPLATES.items()}

"""The page for operations names only what is there: commands with their options, metrics, settings, sections, files."""

import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator

import pytest
from django.core.management import get_commands, load_command_class
from django.db import connection

from tests.processes import ROOT
from tests.tickets_project.metrics.shown import shown

PAGE = ROOT / "docs/operations.md"
TEXT = PAGE.read_text()
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
METRIC = re.compile(r"`((?:messages|upstream|http|outbox|vip|database|schedule)_\w+)")
SETTING = re.compile(r"`((?:[A-Z]+_)+[A-Z]+)(?:=\w+)?`")


def commands() -> Iterator[list[str]]:
    """Yield the management commands that the page shows, without their comments."""
    for block in SHELL.findall(TEXT):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["manage.py"]:
                yield words[1:]


def anchors(text: str) -> set[str]:
    """Return where links may lead: each heading in lower case, with hyphens and without other punctuation."""
    headings = [line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class TestOperationsPage:
    @pytest.mark.parametrize("words", list(commands()), ids=" ".join)
    def test_shows_commands_that_can_be_given(self, words: list[str]) -> None:
        name, *arguments = words
        command = load_command_class(get_commands()[name], name)
        parser: ArgumentParser = command.create_parser("manage.py", name)
        parser.parse_args(arguments)

    def test_names_commands_that_are_there(self) -> None:
        assert set(re.findall(r"manage\.py (\w+)", TEXT)) <= set(get_commands())

    @pytest.mark.django_db
    def test_names_metrics_that_are_shown(self) -> None:
        named = set(METRIC.findall(TEXT)) - set(connection.introspection.table_names())
        assert "outbox_lag_seconds" in named
        # A histogram is named without the endings of its series.
        there = {name.removesuffix("_count") for name in shown()}
        assert named <= there

    def test_names_settings_of_the_table(self) -> None:
        table = set(re.findall(r"`([A-Z_]+)`", (ROOT / "README.md").read_text()))
        named = set(SETTING.findall(TEXT))
        assert "OUTBOX_DISPATCHERS" in named
        assert named <= table

    def test_leads_to_files_and_sections_that_are_there(self) -> None:
        for path, anchor in LINK.findall(TEXT):
            target = (PAGE.parent / path).resolve() if path else PAGE
            assert target.exists(), path
            assert not anchor or anchor in anchors(target.read_text()), f"{path}#{anchor}"

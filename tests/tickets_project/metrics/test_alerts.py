"""The alert rules name only what `/metrics` shows, lead to a section of the page that says what to do, and fire."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.processes import ROOT
from tests.tickets_project.metrics.shown import shown

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docs/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PAGE = "docs/operations.md"
OUR_NAME = re.compile(r"\b(?:messages|upstream|http|outbox|vip|database|schedule)_\w+")
NAMES_WITH_LABELS = re.compile(r"(\w+)\{(\w+)")
BY = re.compile(r"by \(([^)]*)\)")
# It says itself whether it was answered.
OF_PROMETHEUS = {"up": {"job", "instance"}}


def names(text: str) -> list[str]:
    return OUR_NAME.findall(text)


def headings() -> list[str]:
    """Return the anchors of the page's sections."""
    return [line.lstrip("# ").lower() for line in (ROOT / PAGE).read_text().splitlines() if line.startswith("#")]


@pytest.mark.django_db
class TestAlerts:
    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_ask_for_names_and_labels_that_exist(self, rule: dict[str, Any]) -> None:
        there = shown() | OF_PROMETHEUS
        asked = names(rule["expr"])
        assert asked or rule["expr"].startswith("up{")
        assert not set(asked) - set(there)
        for name, label in NAMES_WITH_LABELS.findall(rule["expr"]):
            assert label in there[name]
        for labels in BY.findall(rule["expr"]):
            assert all(label in there[name] for label in labels.split(", ") for name in asked)

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_say_what_is_wrong_and_lead_to_what_to_do(self, rule: dict[str, Any]) -> None:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["runbook_url"] == f"{PAGE}#{rule['alert'].lower()}"
        assert headings().count(rule["alert"].lower()) == 1

    def test_are_one_for_each_trouble(self) -> None:
        assert [rule["alert"] for rule in RULES] == [
            "NothingToScrape",
            "HostNotScraped",
            "DatabaseAway",
            "NoDispatcher",
            "DeliveriesLate",
            "DeliveriesParked",
            "HandlerFails",
            "UpstreamFails",
            "UpstreamRefuses",
            "BundlesStuck",
            "ScheduleLate",
            "ScheduleFails",
        ]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool, of Debian's package prometheus")
class TestAlertsPlayed:
    def test_fire_when_they_should_and_only_then(self) -> None:
        told = subprocess.run(
            ["promtool", "test", "rules", "tests/tickets_project/metrics/alerts_test.yml"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout + told.stderr

    def test_belong_to_a_configuration_that_prometheus_takes(self) -> None:
        told = subprocess.run(
            ["promtool", "check", "config", "docs/prometheus/prometheus.yml"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout + told.stderr

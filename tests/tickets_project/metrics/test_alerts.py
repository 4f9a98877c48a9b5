"""The alert rules name only what `/metrics` shows."""

import re
from typing import Any

import pytest
import yaml
from django.test import Client

from tests.processes import ROOT
from tests.tickets_project.metrics.numbers import families
from tickets_project.metrics.counters import count_call, count_delivered, count_failed, count_request

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docs/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
OUR_NAME = re.compile(r"\b(?:messages|upstream|http|outbox|vip|database)_\w+")
NAMES_WITH_LABELS = re.compile(r"(\w+)\{(\w+)")
BY = re.compile(r"by \(([^)]*)\)")


@pytest.fixture
def shown() -> dict[str, set[str]]:
    """Return the names that `/metrics` shows when everything was counted once, each with its labels."""
    count_delivered("Happened_v1", "things.listen", seconds=0.02)
    count_failed("Happened_v1", "things.listen")
    count_call("files-api/files", "GET", 200, seconds=0.02)
    count_request("GET", "/metrics", 200)
    page = Client().get("/metrics").content.decode()
    samples = [found for family in families(page).values() for found in family.samples]
    return {found.name: set(found.labels) for found in samples}


def names(text: str) -> list[str]:
    return OUR_NAME.findall(text)


@pytest.mark.django_db
class TestAlerts:
    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_ask_for_names_and_labels_that_exist(self, rule: dict[str, Any], shown: dict[str, set[str]]) -> None:
        asked = names(rule["expr"])
        assert asked
        assert not set(asked) - set(shown)
        for name, label in NAMES_WITH_LABELS.findall(rule["expr"]):
            assert label in shown[name]
        for labels in BY.findall(rule["expr"]):
            assert all(label in shown[name] for label in labels.split(", ") for name in asked)

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_say_what_is_wrong_and_what_to_do(self, rule: dict[str, Any], shown: dict[str, set[str]]) -> None:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
        action = rule["annotations"]["action"]
        assert action.strip().endswith(".")
        assert not {name.removesuffix("_seconds") for name in names(action)} - {
            shorter for name in shown for shorter in (name, name.removesuffix("_seconds_count"))
        }

    def test_are_one_for_each_trouble(self) -> None:
        assert [rule["alert"] for rule in RULES] == [
            "NothingToScrape",
            "DatabaseAway",
            "NoDispatcher",
            "DeliveriesLate",
            "DeliveriesParked",
            "HandlerFails",
            "UpstreamFails",
            "UpstreamRefuses",
            "BundlesStuck",
        ]

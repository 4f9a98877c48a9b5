"""Reading numbers off a page of metrics, or from what this test run has counted."""

from collections.abc import Callable, Iterable

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tickets_project.metrics.exposing import counted


def number(name: str, **labels: str) -> float:
    """Return what all processes of this test run have counted so far."""
    return counted().get_sample_value(name, labels) or 0.0


def grown_by(work: Callable[[], object], name: str, **labels: str) -> float:
    """Return by how much the number grows as the work is done."""
    before = number(name, **labels)
    work()
    return round(number(name, **labels) - before, 6)


def families(page: str) -> dict[str, Metric]:
    """Return what a page shows, by name."""
    return {family.name: family for family in text_string_to_metric_families(page)}


def sample(page: str, name: str, **labels: str) -> float | None:
    """Return a number of a page, None when it is not there."""
    return next((found.value for found in _samples(page) if (found.name, found.labels) == (name, labels)), None)


def total(page: str, name: str) -> float:
    """Return the sum of all series of that name."""
    return sum(found.value for found in _samples(page) if found.name == name)


def _samples(page: str) -> Iterable[Sample]:
    return (found for family in families(page).values() for found in family.samples)

"""All names that `/metrics` can show."""

from django.test import Client
from django_q.models import Schedule

from tests.tickets_project.metrics.numbers import families
from tickets_project.metrics.counters import count_call, count_delivered, count_failed, count_request


def shown() -> dict[str, set[str]]:
    """Return the names that are shown when everything was counted once, each with its labels."""
    count_delivered("Happened_v1", "things.listen", seconds=0.02)
    count_failed("Happened_v1", "things.listen")
    count_call("files-api/files", "GET", 200, seconds=0.02)
    count_request("GET", "/metrics", 200)
    Schedule.objects.get_or_create(name="prune the outbox", defaults={"func": "f"})
    page = families(Client().get("/metrics").content.decode())
    return {found.name: set(found.labels) for family in page.values() for found in family.samples}

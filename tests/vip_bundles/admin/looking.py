"""The admin's pages of bundles, as members of staff read them."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from tests.factories import NOON
from tests.vip_bundles.stored import standing, stored
from tickets_project.audit.acts import Act
from tickets_project.outbox.models import Delivery
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.services import flag_stuck

LIST = "/admin/vip_bundles/vipbundle/"
ERROR = "Traceback\ntickets_project.gateway.errors.TemporaryUpstreamError: answered 503"


def page_of(bundle: VipBundle) -> str:
    return f"{LIST}{bundle.pk}/change/"


def text(shown: object) -> str:
    """Return what is read, on one line."""
    return " ".join(strip_tags(str(shown)).split())


def answer(client: Client, bundle: VipBundle, about: str) -> list[str]:
    """Return the lines of the answer whose question has this word."""
    answers = client.get(page_of(bundle)).context["answers"]
    [lines] = [each.lines for each in answers if about in each.question]
    return [text(line) for line in lines]


def table(client: Client, bundle: VipBundle, title: str) -> list[list[str]]:
    """Return the cells of a table on the bundle's page, none when there is no such table."""
    sections = client.get(page_of(bundle)).context["sections"]
    return [[text(cell) for cell in row] for found in sections if found.title == title for row in found.rows]


def happened(client: Client, bundle: VipBundle) -> list[Any]:
    """Return the lines of the timeline."""
    return list(client.get(page_of(bundle)).context["timeline"])


def deliveries(handler: str) -> QuerySet[Delivery]:
    return Delivery.objects.filter(handler=handler)


def give_up(handler: str) -> Delivery:
    """Park what is open of a handler; return the first of it."""
    rows = deliveries(handler).filter(status="pending")
    keys = list(rows.values_list("pk", flat=True))
    rows.update(status="parked", attempts=12, last_error=ERROR)
    return Delivery.objects.get(pk=keys[0])


def stuck(state: State = State.BOOKING_SHOW, **facts: Any) -> VipBundle:
    """Return a bundle that is flagged, since long ago."""
    bundle = standing(state, **{"at": NOON} | facts)
    flag_stuck(vip_bundle_id=bundle.id, act=Act(at=stored(bundle).deadline_at))
    return stored(bundle)


def queries_for(client: Client, address: str) -> list[str]:
    """Return the statements that a page takes."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in captured.captured_queries]

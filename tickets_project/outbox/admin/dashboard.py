"""The outbox on the first page of the admin: what is parked, what waits and for how long, and who is at work."""

from django.db.models import Count, Min
from django.utils import timezone

from tickets_project.admin_site.display import Section, age, last_line, link, moment
from tickets_project.outbox.admin.explaining import BADGES, delivery_section
from tickets_project.outbox.models import Delivery, Dispatcher, Status
from tickets_project.outbox.queries import ParkedGroup, parked_groups

MOST_COUNTED = 10_000
MOST_PARKED = 10


def parked_section() -> Section:
    """Return the latest deliveries that were given up."""
    parked = Delivery.objects.filter(status=Status.PARKED).select_related("message").order_by("-id")[:MOST_PARKED]
    return delivery_section("Parked deliveries, latest first", list(parked))


def parked_groups_section() -> Section:
    """Return the deliveries that were given up, by handler and exception; each row leads to its list."""
    now = timezone.now()
    groups = parked_groups()
    rows = [
        [
            link("outbox_delivery_changelist", group.handler, query=_same_failure(group)),
            last_line(group.exception),
            group.deliveries,
            age(group.since, now),
        ]
        for group in groups[:MOST_PARKED]
    ]
    note = f"The {MOST_PARKED} largest of {len(groups)}." if len(groups) > MOST_PARKED else ""
    headers = ["handler", "exception", "deliveries", "oldest"]
    return Section(title="Parked deliveries, by what went wrong", headers=headers, rows=rows, note=note)


def waiting_section() -> Section:
    """Return each handler's open deliveries, counted no further than a page can wait for."""
    now = timezone.now()
    oldest = Delivery.objects.filter(status__in=[Status.PENDING, Status.PARKED]).order_by("id")[:MOST_COUNTED]
    groups = (
        Delivery.objects.filter(pk__in=oldest.values("pk"))
        .values_list("handler", "status")
        .annotate(count=Count("*"), since=Min("message__published_at"))
        .order_by("handler", "status")
    )
    rows = [
        [
            link("outbox_delivery_changelist", handler, query={"handler": handler, "status__exact": status}),
            BADGES.show(status),
            count,
            age(since, now),
            _latest_error(handler, status),
        ]
        for handler, status, count, since in groups
    ]
    note = "" if rows else "Nothing waits."
    headers = ["handler", "status", "deliveries", "oldest", "latest error"]
    return Section(title="What waits", headers=headers, rows=rows, note=note)


def dispatchers_section() -> Section:
    """Return the processes that deliver."""
    rows = [
        [link("outbox_dispatcher_change", row, row.pk), row.cluster, moment(row.seen_at)]
        for row in Dispatcher.objects.order_by("host", "pid")[:MOST_PARKED]
    ]
    note = "" if rows else "No dispatcher is at work: nothing is delivered until a worker runs."
    return Section(title="Dispatchers at work", headers=["process", "cluster", "seen"], rows=rows, note=note)


def _same_failure(group: ParkedGroup) -> dict[str, str]:
    return {"handler": group.handler, "status__exact": Status.PARKED, "exception": group.exception}


def _latest_error(handler: str, status: str) -> str:
    failed = Delivery.objects.filter(handler=handler, status=status).exclude(last_error="").order_by("-id").first()
    return last_line(failed.last_error) if failed else "-"

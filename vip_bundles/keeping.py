"""Which messages bundles still need: OUTBOX_STILL_NEEDED names the function, so that the outbox knows no bundles."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from vip_bundles.facts import ENDED
from vip_bundles.models import BundleTicket, VipBundle


def still_needed(aggregate_ids: Collection[str], /, *, since: datetime) -> set[str]:
    """Return those that are a bundle, its booking or one of its tickets, unless the bundle had ended before then.

    Its timeline reads the messages about all of these: it stays whole until the bundle has been over for long enough.
    """
    asked = dict(_uuids(aggregate_ids))
    living = VipBundle.objects.filter(~Q(state__in=ENDED) | Q(finalized_at__gte=since))
    about = living.filter(Q(id__in=asked) | Q(booking_id__in=asked)).values_list("id", "booking_id")
    tickets = BundleTicket.objects.filter(ticket_id__in=asked, bundle__in=living).values_list("ticket_id", flat=True)
    needed = {*tickets, *(aggregate_id for pair in about for aggregate_id in pair)}
    return {text for aggregate_id, text in asked.items() if aggregate_id in needed}


def _uuids(texts: Collection[str]) -> Iterator[tuple[UUID, str]]:
    for text in texts:
        with suppress(ValueError):
            yield UUID(text), text

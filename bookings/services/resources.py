"""Resources: put up for booking, with their opening hours."""

from collections.abc import Sequence
from datetime import time
from typing import Any

from django.db import transaction

from bookings.models import OpeningHours, Resource
from bookings.services.shows import ticket_type_named
from tickets_project.audit.acts import Act
from tickets_project.audit.recording import record, subject_of
from tickets_project.values import Money

Hours = tuple[int, time, time]
"""A weekday (0 is Monday), when it opens and when it closes; midnight closes the day."""


@transaction.atomic
def make_resource(
    *, act: Act, price: Money, opening_hours: Sequence[Hours], ticket_type: str | None = None, **fields: Any
) -> Resource:
    """Put a resource up for booking; `price` is for an hour, `fields` are the model's.

    :raises UnknownTicketType: if there is no ticket type of that name
    """
    resource = Resource.objects.create(
        price_amount=price.amount,
        price_currency=price.currency,
        ticket_type=ticket_type_named(ticket_type) if ticket_type else None,
        **fields,
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(resource=resource, weekday=weekday, opens=opens, closes=closes)
        for weekday, opens, closes in opening_hours
    )
    record("resource_created", subject_of(resource), act.noting(name=resource.name))
    return resource

"""Resources: put up for booking with their opening hours, and changed while they are booked."""

from collections.abc import Sequence
from datetime import time
from typing import Any
from uuid import UUID

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
    _open(resource, opening_hours)
    record("resource_created", subject_of(resource), act.noting(name=resource.name))
    return resource


@transaction.atomic
def change_resource(
    *, resource_id: UUID, act: Act, opening_hours: Sequence[Hours] | None = None, **fields: Any
) -> Resource:
    """Change a resource, and its opening hours when they are given; its bookings stay as they are.

    :raises Resource.DoesNotExist: if there is no such resource
    """
    resource = Resource.objects.select_for_update().get(id=resource_id)
    old = {name: getattr(resource, name) for name in fields}
    for name, value in fields.items():
        setattr(resource, name, value)
    resource.save(update_fields=list(fields))
    noted = act.noting(before=_told(old), after=_told(fields))
    if opening_hours is not None:
        noted = noted.noting(hours_before=_spoken(_hours_of(resource)), hours_after=_spoken(opening_hours))
        resource.opening_hours.all().delete()
        _open(resource, opening_hours)
    record("resource_changed", subject_of(resource), noted)
    return resource


def _open(resource: Resource, opening_hours: Sequence[Hours]) -> None:
    OpeningHours.objects.bulk_create(
        OpeningHours(resource=resource, weekday=weekday, opens=opens, closes=closes)
        for weekday, opens, closes in opening_hours
    )


def _hours_of(resource: Resource) -> list[Hours]:
    return list(resource.opening_hours.values_list("weekday", "opens", "closes"))


def _spoken(opening_hours: Sequence[Hours]) -> list[str]:
    """Return opening hours as the audit trail tells them."""
    days = dict(OpeningHours.WEEKDAYS)
    return [f"{days[weekday]} {opens:%H:%M}-{closes:%H:%M}" for weekday, opens, closes in sorted(opening_hours)]


def _told(fields: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items()}

"""Reads that the API, the admin and the mails need."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, F, Prefetch, Q, QuerySet

from tickets_project.outbox.models import Delivery, Status
from vip_bundles.facts import State
from vip_bundles.models import BundleTicket, VipBundle
from vip_bundles.process import waits_for

VIEW = "vip_bundles.view_vipbundle"
REPAIR = "vip_bundles.repair_vipbundle"
A_WEEK = timedelta(days=7)
HEAR_FAILURES = ("vip_bundles.on_flight_failed", "vip_bundles.on_taxi_failed")
"""The handlers by which a bundle hears that a flight or the taxi is not to be had."""


def sees_all(user: User) -> bool:
    """Tell whether a user is staff who may see everybody's bundles."""
    return user.is_staff and user.has_perm(VIEW)


def bundles() -> QuerySet[VipBundle]:
    """Return all bundles, with what is shown of each."""
    tickets = Prefetch("tickets", BundleTicket.objects.order_by("confirmed_at", "ticket_id"))
    return VipBundle.objects.prefetch_related(tickets)


def bundles_visible_to(user: User) -> QuerySet[VipBundle]:
    """Return a user's own bundles, or all of them for staff, likewise."""
    return bundles() if sees_all(user) else bundles().filter(owner=user)


def ended_without_tickets(*, at: datetime) -> QuerySet[VipBundle]:
    """Return the bundles of the week before that ended well although not all of their tickets are confirmed."""
    well = VipBundle.objects.filter(state=State.FINALIZED, created_at__gte=at - A_WEEK)
    confirmed = Count("tickets", filter=Q(tickets__confirmed_at__isnull=False))
    return well.annotate(confirmed=confirmed).filter(confirmed__lt=F("number_of_tickets"))


def what_they_wait_for(bundles: Sequence[VipBundle]) -> dict[UUID, str | None]:
    """Return what each of these bundles, best with its tickets prefetched, waits for; None when it has ended.

    One whose step has failed waits for its tickets before it is taken back, since all of them are to be refunded.
    """
    failed = _failing(bundles)
    return {
        bundle.id: _tickets(bundle, failed[bundle.id]) if bundle.id in failed else waits_for(State(bundle.state))
        for bundle in bundles
    }


def lacks_tickets(bundle: VipBundle) -> bool:
    """Tell whether not all of a bundle's tickets, best prefetched, are confirmed."""
    return _confirmed(bundle) < bundle.number_of_tickets


def _failing(bundles: Sequence[VipBundle]) -> dict[UUID, str]:
    """Return those whose step has failed before their tickets were confirmed, with the status of that news."""
    waiting = {bundle.id: bundle for bundle in bundles if not bundle.has_ended and lacks_tickets(bundle)}
    unheard = Delivery.objects.filter(
        handler__in=HEAR_FAILURES,
        status__in=(Status.PENDING, Status.PARKED),
        message__aggregateid__in=[str(bundle_id) for bundle_id in waiting],
    )
    found = unheard.order_by("id").values_list("message__aggregateid", "message__payload__flight_id", "status")
    return {
        bundle_id: status
        for bundle_id, flight_id, status in ((UUID(about), flight_id, status) for about, flight_id, status in found)
        if flight_id == flight_of_step(waiting[bundle_id])
    }


def flight_of_step(bundle: VipBundle) -> str | None:
    """Return the flight that its present step books, None when that is the taxi or the show."""
    flights = {
        State.BOOKING_INBOUND_FLIGHT: bundle.inbound_flight_id,
        State.BOOKING_RETURN_FLIGHT: bundle.return_flight_id,
    }
    flight_id = flights.get(State(bundle.state))
    return str(flight_id) if flight_id else None


def _confirmed(bundle: VipBundle) -> int:
    return sum(ticket.confirmed_at is not None for ticket in bundle.tickets.all())


def _tickets(bundle: VipBundle, status: str) -> str:
    so_far = f"{_confirmed(bundle)} of {bundle.number_of_tickets} tickets are confirmed"
    if status == Status.PARKED:
        return f"{so_far}, and its step has failed: a person has to roll it back"
    return f"{so_far}; when all are, what is booked is taken back"

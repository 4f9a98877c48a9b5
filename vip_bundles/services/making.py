"""Making bundles."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from tickets_project.audit.acts import Act
from tickets_project.audit.recording import record, subject_of
from tickets_project.outbox.publishing import publish
from vip_bundles.events import VipBundleInitializedV1
from vip_bundles.models import VipBundle
from vip_bundles.services.deadlines import deadline_from


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleShow:
    """What a bundle needs to know of a show."""

    show_id: UUID
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Who travels, one passenger a ticket, and by what."""

    passengers: list[str]
    inbound_flight_id: UUID
    return_flight_id: UUID | None = None
    wants_taxi: bool = False


@transaction.atomic
def make_bundle(  # noqa: PLR0913 - a bundle has these facts
    *,
    vip_bundle_id: UUID,
    booking_id: UUID,
    show: BundleShow,
    journey: Journey,
    customer_email: str,
    owner: User | None,
    act: Act,
) -> VipBundle:
    """Store a bundle under its ids and announce it; everything else follows from messages.

    :raises IntegrityError: if an id is taken, nobody travels, or both flights are the same
    """
    bundle = VipBundle(
        id=vip_bundle_id,
        booking_id=booking_id,
        owner=owner,
        customer_email=customer_email,
        number_of_tickets=len(journey.passengers),
        show_id=show.show_id,
        show_title=show.title,
        passengers=journey.passengers,
        inbound_flight_id=journey.inbound_flight_id,
        return_flight_id=journey.return_flight_id,
        wants_taxi=journey.wants_taxi,
        created_at=act.at,
        deadline_at=deadline_from(act.at),
    )
    bundle.save(force_insert=True)
    record("bundle_made", subject_of(bundle), act, new=bundle.state)
    publish(VipBundleInitializedV1(vip_bundle_id=str(bundle.id)))
    return bundle

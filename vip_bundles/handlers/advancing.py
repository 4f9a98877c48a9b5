"""The messages that the process manager hears: each finds its bundle, which decides what follows."""

from django.db.models import Q
from django.utils import timezone

from bookings.events import BookingFailedV1, BookingMadeV1, TicketBookingConfirmedV1
from tickets_project.audit.acts import Act
from vip_bundles.events import (
    FlightBookedV1,
    FlightBookingFailedV1,
    TaxiBookedV1,
    TaxiBookingFailedV1,
    VipBundleInitializedV1,
)
from vip_bundles.services import advance


def on_initialized(message: VipBundleInitializedV1) -> None:
    """Begin."""
    advance(message, bundle=Q(id=message.vip_bundle_id), act=_act())


def on_booking(message: BookingMadeV1 | BookingFailedV1 | TicketBookingConfirmedV1) -> None:
    """Hear of a booking; one that is no bundle's is ignored."""
    # Of a ticket whose booking nobody knows, nothing is said.
    if message.booking_id:
        advance(message, bundle=Q(booking_id=message.booking_id), act=_act())


def on_transport(message: FlightBookedV1 | FlightBookingFailedV1 | TaxiBookedV1 | TaxiBookingFailedV1) -> None:
    """Hear what came of a flight or the taxi.

    :raises NotYet: if the message is to be heard later
    """
    advance(message, bundle=Q(id=message.reference_id), act=_act())


def _act() -> Act:
    return Act(at=timezone.now(), automatic="vip bundles")

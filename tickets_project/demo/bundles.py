"""The VIP bundles of the demo: what the worker makes of each follows from its show and its flights."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import User

from bookings.models import Show
from tickets_project.audit.acts import Act
from tickets_project.demo.shows import CARMEN, GIOVANNI, NABUCCO, ORCHARD
from tickets_project.gateway.simulator.transportation import SOLD_OUT_FLIGHT
from vip_bundles.services import make_bundle
from vip_bundles.services.making import BundleShow, Journey

THERE, BACK = UUID("00000000-0000-4000-8000-00000000f001"), UUID("00000000-0000-4000-8000-00000000f002")
SOLD_OUT = UUID(SOLD_OUT_FLIGHT)
JOURNEYS = {
    # All is booked, and it is finalized.
    CARMEN: Journey(
        passengers=["Ada Rossi", "Bo Lind"], inbound_flight_id=THERE, return_flight_id=BACK, wants_taxi=True
    ),
    ORCHARD: Journey(passengers=["Mei Tanaka"], inbound_flight_id=THERE),
    # There is no way back: it fails, and what is booked is taken back.
    NABUCCO: Journey(
        passengers=["Ivo Novak", "Eva Novak", "Jan Novak"], inbound_flight_id=THERE, return_flight_id=SOLD_OUT
    ),
}
# Its flight is sold out, but the vendor never confirms the tickets that are to be refunded: it waits.
WAITING = Journey(passengers=["Lea Meyer", "Max Meyer"], inbound_flight_id=SOLD_OUT)
LATE = timedelta(minutes=5)


def make_bundles(shows: dict[str, Show], act: Act, *, customer: User) -> None:
    """Ask for the bundles; the one that waits was asked for so long ago that its deadline is over."""
    for title, journey in JOURNEYS.items():
        _bundle(shows[title], journey, customer, act)
    asked_at = act.at - timedelta(minutes=settings.VIP_BUNDLE_DEADLINE_MINUTES) - LATE
    _bundle(shows[GIOVANNI], WAITING, customer, replace(act, at=asked_at))


def _bundle(show: Show, journey: Journey, customer: User, act: Act) -> None:
    make_bundle(
        vip_bundle_id=uuid4(),
        booking_id=uuid4(),
        show=BundleShow(show_id=show.id, title=show.title),
        journey=journey,
        customer_email=customer.email,
        owner=customer,
        act=act,
    )

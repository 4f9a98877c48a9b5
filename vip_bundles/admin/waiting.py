"""What a bundle waits for: the deliveries by which its present step, or what follows its end, goes on."""

from collections.abc import Iterable

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tickets_project.admin_site.display import Badges, link
from tickets_project.outbox.admin.explaining import BADGES, why
from tickets_project.outbox.models import Delivery, Status
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.queries import flight_of_step, lacks_tickets

STATES = Badges(
    {
        "initialized": "info",
        "booking_show": "info",
        "booking_inbound_flight": "info",
        "booking_return_flight": "info",
        "booking_taxi": "info",
        "rolling_back": "warning",
        "finalized": "success",
        "failed": "danger",
    }
)
STUCK = Badges({"stuck": "warning"})
NOTHING = Badges({"nothing on its way": "danger"})

_WORDS = {
    State.INITIALIZED: "its beginning",
    State.BOOKING_SHOW: "seats of the show",
    State.BOOKING_INBOUND_FLIGHT: "the inbound flight",
    State.BOOKING_RETURN_FLIGHT: "the return flight",
    State.BOOKING_TAXI: "the taxi",
    State.ROLLING_BACK: "taking back",
    State.FINALIZED: "its tickets",
    State.FAILED: "taking back",
}
# The keys of handlers, which never change. A flight that failed is rolled back once all tickets are confirmed.
TICKETS = {"bookings.book_at_vendor", "vip_bundles.on_ticket_confirmed"}
_SHOW = {"bookings.book_show_tickets", "vip_bundles.on_booking_made", "vip_bundles.on_booking_failed"}
_FLIGHT = {"vip_bundles.book_flight", "vip_bundles.on_flight_booked", "vip_bundles.on_flight_failed"}
_TAXI = {"vip_bundles.book_taxi", "vip_bundles.on_taxi_booked", "vip_bundles.on_taxi_failed"}
TAKING_BACK = {
    "bookings.refund_ticket",
    "vip_bundles.record_refunded",
    "vip_bundles.cancel_flight",
    "vip_bundles.cancel_taxi",
}
HANDLERS = {
    State.INITIALIZED: {"vip_bundles.on_initialized"},
    State.BOOKING_SHOW: _SHOW,
    State.BOOKING_INBOUND_FLIGHT: _FLIGHT | TICKETS,
    State.BOOKING_RETURN_FLIGHT: _FLIGHT | TICKETS,
    State.BOOKING_TAXI: _TAXI | TICKETS,
    State.ROLLING_BACK: TAKING_BACK,
    State.FINALIZED: TICKETS,
    # What turns out to be booked after the failure is taken back too.
    State.FAILED: TAKING_BACK | TICKETS | _SHOW | _FLIGHT | _TAXI,
}
"""The handlers by which a bundle goes on from each state."""

# What needs a person comes first; what was discarded says so only when nothing else is left.
_BY_URGENCY = [Status.PARKED, Status.PENDING, Status.DISCARDED]


def in_words(bundle: VipBundle) -> str:
    """Return what the bundle is about in its state."""
    return _WORDS[State(bundle.state)]


def waited_for(bundle: VipBundle, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Return those of a bundle's deliveries that it waits for now, the most urgent first."""
    state = State(bundle.state)
    handlers = HANDLERS[state] if lacks_tickets(bundle) else HANDLERS[state] - TICKETS
    found = [
        delivery
        for delivery in deliveries
        if delivery.status != Status.DELIVERED
        and delivery.handler in handlers
        and _is_of_flight(delivery, flight_of_step(bundle))
    ]
    return most_urgent(found)


def most_urgent(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Return deliveries that are not delivered, those first that need a person."""
    return sorted(deliveries, key=lambda delivery: (_BY_URGENCY.index(Status(delivery.status)), delivery.pk))


def where_it_stands(delivery: Delivery) -> SafeString:
    """Return a delivery's status with the reason, which leads to it."""
    badge, reason = BADGES.show(delivery.status), why(delivery, at=timezone.now())
    return format_html("<span>{} {}</span>", badge, link("outbox_delivery_change", reason, delivery.pk))


def still_open(deliveries: Iterable[Delivery]) -> SafeString:
    """Return where the most urgent of deliveries stands that something waits for."""
    waiting = most_urgent(each for each in deliveries if each.status != Status.DELIVERED)
    return where_it_stands(waiting[0]) if waiting else NOTHING.show("nothing on its way")


def summary(bundle: VipBundle, deliveries: Iterable[Delivery]) -> SafeString:
    """Return what a bundle waits for and why, in a line."""
    waiting = waited_for(bundle, deliveries)
    if bundle.has_ended and not waiting:
        return SafeString("-")
    return format_html("<span>{} {}</span>", in_words(bundle), still_open(waiting))


def _is_of_flight(delivery: Delivery, flight_id: str | None) -> bool:
    """Tell whether a delivery may be about this flight: that of the other way is over."""
    told = delivery.message.payload
    about = told.get("to_flight_id") or told.get("flight_id")
    return not about or not flight_id or about == flight_id

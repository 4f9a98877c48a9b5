"""The process manager of VIP bundles: what follows from each message. No database, clock, settings or logging.

A bundle is what is known of it: whatever the order in which messages arrive, and however often, the same is known in
the end, and each command has the same key.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bookings.commands import BookShowTickets, RefundTicket
from bookings.events import BookingFailedV1, BookingMadeV1
from tickets_project.outbox.messages import Command, Message
from tickets_project.outbox.outcomes import NotYet
from vip_bundles.commands import BookFlight, BookTaxi, CancelFlightTickets, CancelTaxi
from vip_bundles.events import (
    FlightBookedV1,
    FlightBookingFailedV1,
    TaxiBookedV1,
    TaxiBookingFailedV1,
    VipBundleFinalizedV1,
    VipBundleInitializedV1,
)
from vip_bundles.facts import ENDED, FAILING, Bundle, Fact, Leg, State


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryStep:
    """A person wants what the bundle waits for to be asked for again."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """A person wants the bundle to end as if its step had failed, whatever is confirmed by now."""

    reason: str
    at: datetime


Heard = Fact | VipBundleInitializedV1 | BookingFailedV1 | FlightBookingFailedV1 | TaxiBookingFailedV1
"""The messages that a bundle hears."""

Request = RetryStep | RollBack
"""What a person asks of a bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A step to a state, perhaps the same, with what is sent."""

    to: State
    sends: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows: the bundle as it is known then, and its moves there, none when it stays where it is."""

    bundle: Bundle
    moves: tuple[Move, ...] = ()

    @property
    def sends(self) -> tuple[Message, ...]:
        """Return all that is sent, in its order."""
        return tuple(message for move in self.moves for message in move.sends)


def decide(bundle: Bundle, message: Heard | Request) -> Decision:
    """Return what follows from a message about this bundle; a repeated one changes nothing.

    :raises NotYet: if a step failed before every ticket is confirmed: they could not all be refunded
    """
    match message:
        case VipBundleInitializedV1():
            return _begin(bundle, message.header.published_at)
        case BookingFailedV1():
            return _end_unbooked(bundle, message)
        case FlightBookingFailedV1():
            return _end_failed(bundle, bundle.step_of_flight(message.flight_id), message)
        case TaxiBookingFailedV1():
            return _end_failed(bundle, State.BOOKING_TAXI, message)
        case RetryStep() | RollBack():
            return Decision(bundle=bundle) if bundle.state in ENDED else _repair(bundle, message)
    return _learn(bundle, message)


def _begin(bundle: Bundle, at: datetime) -> Decision:
    if bundle.state is not State.INITIALIZED:
        return Decision(bundle=bundle)
    return _moved(bundle, _enter(bundle, State.BOOKING_SHOW), at)


def _learn(before: Bundle, message: Fact) -> Decision:
    bundle, at = before.learn(message), message.header.published_at
    if bundle.state in FAILING:
        late = _take_back(bundle, unless_in=before)
        return _moved(bundle, [Move(to=bundle.state, sends=late)] if late else [], at)
    if bundle.state in bundle.steps and bundle.is_done(bundle.state):
        return _moved(bundle, _enter(bundle, bundle.step_after(bundle.state)), at)
    return Decision(bundle=bundle)


def _end_unbooked(bundle: Bundle, message: BookingFailedV1) -> Decision:
    # Where a ticket is confirmed there is a booking: a retry went well since.
    if bundle.state is not State.BOOKING_SHOW or bundle.ticket_ids:
        return Decision(bundle=bundle)
    known = replace(bundle, failure_reason=message.failure_reason)
    return _moved(
        known, [Move(to=State.FAILED, sends=(_finalized(bundle, success=False),))], message.header.published_at
    )


def _end_failed(bundle: Bundle, step: State | None, message: FlightBookingFailedV1 | TaxiBookingFailedV1) -> Decision:
    # A failure of any other step is a repeated one, or a retry went well since.
    if bundle.state is not step:
        return Decision(bundle=bundle)
    confirmed, expected = len(bundle.ticket_ids), bundle.number_of_tickets
    if confirmed < expected:
        raise NotYet(f"{confirmed} of {expected} tickets are confirmed; all of them are to be refunded.")
    return _roll_back(bundle, message.failure_reason, message.header.published_at)


def _repair(bundle: Bundle, request: Request) -> Decision:
    """Do as a person asks of a bundle that has not ended."""
    match request:
        case RollBack():
            return _roll_back(bundle, request.reason, request.at)
        case RetryStep() if bundle.state is State.INITIALIZED:
            return _begin(bundle, request.at)
        case RetryStep() if bundle.state in bundle.steps:
            return _moved(bundle, [Move(to=bundle.state, sends=(_command(bundle, bundle.state),))], request.at)
    return Decision(bundle=bundle)


def _roll_back(bundle: Bundle, reason: str, at: datetime) -> Decision:
    """Take back all that is booked; what turns out to be booked later is taken back then."""
    taken_back = Move(to=State.ROLLING_BACK, sends=_take_back(bundle, unless_in=_unbooked(bundle)))
    failed = Move(to=State.FAILED, sends=(_finalized(bundle, success=False),))
    return _moved(replace(bundle, failure_reason=reason), [taken_back, failed], at)


def _enter(bundle: Bundle, step: State) -> list[Move]:
    """Return the moves into a step, and through it as far as is known already."""
    if step is State.FINALIZED:
        return [Move(to=step, sends=(_finalized(bundle, success=True),))]
    if bundle.is_done(step):
        return [Move(to=step), *_enter(bundle, bundle.step_after(step))]
    return [Move(to=step, sends=(_command(bundle, step),))]


def _moved(bundle: Bundle, moves: Iterable[Move], at: datetime) -> Decision:
    """Return the bundle at the end of the moves; a bundle ends once."""
    moves = tuple(moves)
    state = moves[-1].to if moves else bundle.state
    finalized_at = bundle.finalized_at or (at if state in ENDED else None)
    return Decision(bundle=replace(bundle, state=state, finalized_at=finalized_at), moves=moves)


def _command(bundle: Bundle, step: State) -> Command:
    """Return what books a step; its key is derived, so that asking again books nothing more."""
    match step:
        case State.BOOKING_SHOW:
            return BookShowTickets(
                booking_id=bundle.booking_id,
                customer_email=bundle.customer_email,
                number_of_tickets=bundle.number_of_tickets,
                show_id=bundle.show_id,
                user_id=bundle.user_id,
            )
        case State.BOOKING_TAXI:
            return BookTaxi(
                customer_email=bundle.customer_email,
                customer_name=bundle.passengers[0],
                number_of_passengers=len(bundle.passengers),
                reference_id=bundle.vip_bundle_id,
                idempotency_key=f"{bundle.vip_bundle_id}:taxi",
            )
    way = "inbound" if step is State.BOOKING_INBOUND_FLIGHT else "return"
    return BookFlight(
        customer_email=bundle.customer_email,
        to_flight_id=bundle.legs[step].flight_id,
        passengers=list(bundle.passengers),
        reference_id=bundle.vip_bundle_id,
        idempotency_key=f"{bundle.vip_bundle_id}:{way}",
    )


def _take_back(bundle: Bundle, *, unless_in: Bundle) -> tuple[Command, ...]:
    """Return what takes back all that is booked now and was not in that bundle."""
    reference, known = bundle.vip_bundle_id, unless_in
    tickets = sorted(bundle.ticket_ids - known.ticket_ids)
    legs = [leg for step, leg in bundle.legs.items() if leg.booked_at and not known.legs[step].booked_at]
    taxi = bundle.taxi_booked_at and not known.taxi_booked_at
    return (
        *(RefundTicket(ticket_id=ticket_id) for ticket_id in tickets),
        *(CancelFlightTickets(flight_ticket_id=list(leg.ticket_ids), reference_id=reference) for leg in legs),
        *([CancelTaxi(taxi_booking_id=bundle.taxi_booking_id, reference_id=reference)] if taxi else []),
    )


def _unbooked(bundle: Bundle) -> Bundle:
    """Return the bundle as if nothing of it were booked."""
    return replace(
        bundle,
        ticket_ids=frozenset(),
        inbound_leg=Leg(flight_id=bundle.inbound_leg.flight_id),
        return_leg=bundle.return_leg and Leg(flight_id=bundle.return_leg.flight_id),
        taxi_booked_at=None,
    )


def _finalized(bundle: Bundle, *, success: bool) -> VipBundleFinalizedV1:
    return VipBundleFinalizedV1(vip_bundle_id=bundle.vip_bundle_id, success=success)


def waits_for(state: State) -> str | None:
    """Return what ends a step: names of messages; None when the bundle has ended."""
    return _WAITS_FOR.get(state)


_WAITS_FOR = {
    State.INITIALIZED: VipBundleInitializedV1.NAME,
    State.BOOKING_SHOW: f"{BookingMadeV1.NAME} or {BookingFailedV1.NAME}",
    State.BOOKING_INBOUND_FLIGHT: f"{FlightBookedV1.NAME} or {FlightBookingFailedV1.NAME}",
    State.BOOKING_RETURN_FLIGHT: f"{FlightBookedV1.NAME} or {FlightBookingFailedV1.NAME}",
    State.BOOKING_TAXI: f"{TaxiBookedV1.NAME} or {TaxiBookingFailedV1.NAME}",
}

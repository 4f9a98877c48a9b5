"""What is known of a VIP bundle, and what it wants booked in which order. Pure data."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bookings.events import BookingMadeV1, TicketBookingConfirmedV1
from vip_bundles.events import FlightBookedV1, TaxiBookedV1


class State(StrEnum):
    """Where a bundle stands."""

    INITIALIZED = "initialized"
    BOOKING_SHOW = "booking_show"
    BOOKING_INBOUND_FLIGHT = "booking_inbound_flight"
    BOOKING_RETURN_FLIGHT = "booking_return_flight"
    BOOKING_TAXI = "booking_taxi"
    ROLLING_BACK = "rolling_back"
    FINALIZED = "finalized"
    FAILED = "failed"


ENDED = frozenset({State.FINALIZED, State.FAILED})
FAILING = frozenset({State.ROLLING_BACK, State.FAILED})
"""The states in which what turns out to be booked is taken back."""

Fact = BookingMadeV1 | TicketBookingConfirmedV1 | FlightBookedV1 | TaxiBookedV1
"""The messages that tell what is booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A flight, one way; without a time it is not booked."""

    flight_id: str
    ticket_ids: tuple[str, ...] = ()
    booked_at: datetime | None = None

    def learn(self, message: FlightBookedV1) -> "Leg":
        """Return the leg as booked, the same when it is booked or the message is about another flight."""
        if self.booked_at or self.flight_id != message.flight_id:
            return self
        return replace(self, ticket_ids=tuple(message.flight_tickets_ids), booked_at=message.header.published_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle as it is known; `ticket_ids` are the show's tickets that are confirmed, times those of the messages."""

    vip_bundle_id: str
    booking_id: str
    customer_email: str
    number_of_tickets: int
    show_id: str
    passengers: tuple[str, ...]
    inbound_leg: Leg
    return_leg: Leg | None = None
    wants_taxi: bool = False
    user_id: int | None = None
    state: State = State.INITIALIZED
    booking_made_at: datetime | None = None
    ticket_ids: frozenset[str] = frozenset()
    taxi_booking_id: str = ""
    taxi_booked_at: datetime | None = None
    failure_reason: str = ""
    finalized_at: datetime | None = None

    @property
    def legs(self) -> dict[State, Leg]:
        """Return its flights by the step that books each."""
        homeward = {State.BOOKING_RETURN_FLIGHT: self.return_leg} if self.return_leg else {}
        return {State.BOOKING_INBOUND_FLIGHT: self.inbound_leg, **homeward}

    @property
    def steps(self) -> list[State]:
        """Return the steps that book what it wants, in their order."""
        return [State.BOOKING_SHOW, *self.legs, *([State.BOOKING_TAXI] if self.wants_taxi else [])]

    def step_after(self, step: State) -> State:
        """Return the next step; after the last, the end."""
        following = [*self.steps, State.FINALIZED]
        return following[following.index(step) + 1]

    def step_of_flight(self, flight_id: str) -> State | None:
        """Return the step that books a flight, None when it is not one of its own."""
        return next((step for step, leg in self.legs.items() if leg.flight_id == flight_id), None)

    def is_done(self, step: State) -> bool:
        """Tell whether what the step books is booked."""
        match step:
            case State.BOOKING_SHOW:
                return self.booking_made_at is not None
            case State.BOOKING_TAXI:
                return self.taxi_booked_at is not None
        return self.legs[step].booked_at is not None

    def learn(self, message: Fact) -> "Bundle":
        """Return the bundle with what the message tells, the same when that is known."""
        at = message.header.published_at
        match message:
            case BookingMadeV1():
                return replace(self, booking_made_at=self.booking_made_at or at)
            case TicketBookingConfirmedV1():
                return replace(self, ticket_ids=self.ticket_ids | {message.ticket_id})
            case FlightBookedV1():
                return_leg = self.return_leg and self.return_leg.learn(message)
                return replace(self, inbound_leg=self.inbound_leg.learn(message), return_leg=return_leg)
            case TaxiBookedV1() if self.taxi_booked_at is None:
                return replace(self, taxi_booking_id=message.taxi_booking_id, taxi_booked_at=at)
        return self

"""One bundle, what it may be told of, and what it may send, each as it must be."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bookings.commands import BookShowTickets, RefundTicket
from bookings.events import BookingFailedV1, BookingMadeV1, TicketBookingConfirmedV1
from tests.factories import NOON
from tickets_project.outbox.messages import Header, Message
from tickets_project.values import Money
from vip_bundles.commands import BookFlight, BookTaxi, CancelFlightTickets, CancelTaxi
from vip_bundles.events import (
    FlightBookedV1,
    FlightBookingFailedV1,
    TaxiBookedV1,
    TaxiBookingFailedV1,
    VipBundleFinalizedV1,
    VipBundleInitializedV1,
)
from vip_bundles.facts import Bundle, Leg, State
from vip_bundles.process import Decision, Move, RetryStep, RollBack

BUNDLE, BOOKING, SHOW, INBOUND, RETURN, ELSEWHERE = "bundle", "booking", "show", "there", "back", "elsewhere"
ADA = "ada@customers.example"
PASSENGERS = ("Ada", "Bob", "Cid", "Dee")
KEYS = {INBOUND: "bundle:inbound", RETURN: "bundle:return", ELSEWHERE: "another:inbound"}
TAXI = "bundle:taxi-car"


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def header(number: int) -> Header:
    return Header(id="", published_at=minute(number), idempotency_key="", correlation_id="")


def seats(key: str, number: int = 3) -> tuple[str, ...]:
    """Return the flight tickets that are booked under a key."""
    return tuple(f"{key}-{each}" for each in range(1, number + 1))


def initialized() -> VipBundleInitializedV1:
    return VipBundleInitializedV1(vip_bundle_id=BUNDLE, header=header(1))


def booking_made(tickets: int = 3) -> BookingMadeV1:
    return BookingMadeV1(
        booking_id=BOOKING, number_of_tickets=tickets, customer_email=ADA, show_id=SHOW, header=header(2)
    )


def booking_failed() -> BookingFailedV1:
    return BookingFailedV1(booking_id=BOOKING, failure_reason="sold out", header=header(3))


def confirmed(number: int) -> TicketBookingConfirmedV1:
    return TicketBookingConfirmedV1(
        ticket_id=f"ticket-{number}",
        customer_email=ADA,
        price=Money(amount=Decimal("50.30"), currency="EUR"),
        booking_id=BOOKING,
        header=header(10 + number),
    )


def flight_booked(flight_id: str, *, key: str = "", number: int = 3) -> FlightBookedV1:
    return FlightBookedV1(
        flight_id=flight_id,
        flight_tickets_ids=list(seats(key or KEYS[flight_id], number)),
        reference_id=BUNDLE,
        header=header(minute_of(flight_id)),
    )


def flight_failed(flight_id: str) -> FlightBookingFailedV1:
    return FlightBookingFailedV1(
        flight_id=flight_id,
        failure_reason=f"no seat {flight_id}",
        reference_id=BUNDLE,
        header=header(minute_of(flight_id) + 1),
    )


def minute_of(flight_id: str) -> int:
    return {INBOUND: 20, RETURN: 30, ELSEWHERE: 35}[flight_id]


def taxi_booked(taxi: str = TAXI) -> TaxiBookedV1:
    return TaxiBookedV1(taxi_booking_id=taxi, reference_id=BUNDLE, header=header(40))


def taxi_failed() -> TaxiBookingFailedV1:
    return TaxiBookingFailedV1(failure_reason="no taxi", reference_id=BUNDLE, header=header(41))


RETRY = RetryStep(at=minute(50))
ROLL_BACK = RollBack(reason="the customer is ill", at=minute(51))

BOOK_INBOUND, BOOK_RETURN = (
    BookFlight(
        customer_email=ADA,
        to_flight_id=flight,
        passengers=["Ada", "Bob", "Cid"],
        reference_id=BUNDLE,
        idempotency_key=f"bundle:{way}",
    )
    for flight, way in ((INBOUND, "inbound"), (RETURN, "return"))
)
BOOK_SHOW = BookShowTickets(booking_id=BOOKING, customer_email=ADA, number_of_tickets=3, show_id=SHOW, user_id=7)
BOOK_TAXI = BookTaxi(
    customer_email=ADA,
    customer_name="Ada",
    number_of_passengers=3,
    reference_id=BUNDLE,
    idempotency_key="bundle:taxi",
)
REFUNDS = tuple(RefundTicket(ticket_id=f"ticket-{number}") for number in (1, 2, 3))
CANCEL_INBOUND, CANCEL_RETURN = (
    CancelFlightTickets(flight_ticket_id=list(seats(KEYS[flight])), reference_id=BUNDLE) for flight in (INBOUND, RETURN)
)
CANCEL_TAXI = CancelTaxi(taxi_booking_id=TAXI, reference_id=BUNDLE)
WENT_WELL, WENT_WRONG = (VipBundleFinalizedV1(vip_bundle_id=BUNDLE, success=success) for success in (True, False))


def new_bundle(*, tickets: int = 3, return_flight: bool = True, taxi: bool = True) -> Bundle:
    return Bundle(
        vip_bundle_id=BUNDLE,
        booking_id=BOOKING,
        customer_email=ADA,
        number_of_tickets=tickets,
        show_id=SHOW,
        passengers=PASSENGERS[:tickets],
        inbound_leg=Leg(flight_id=INBOUND),
        return_leg=Leg(flight_id=RETURN) if return_flight else None,
        wants_taxi=taxi,
        user_id=7,
    )


def knowing(bundle: Bundle, *what: str, tickets: int = 0, **facts: Any) -> Bundle:
    """Return the bundle as it is when these are booked and that many tickets are confirmed."""
    number = bundle.number_of_tickets
    known: dict[str, dict[str, Any]] = {
        "show": {"booking_made_at": minute(2)},
        INBOUND: {"inbound_leg": _booked(INBOUND, number)},
        RETURN: {"return_leg": _booked(RETURN, number)},
        "taxi": {"taxi_booking_id": TAXI, "taxi_booked_at": minute(40)},
    }
    ticket_ids = frozenset(f"ticket-{number}" for number in range(1, tickets + 1))
    learned = {name: value for each in what for name, value in known[each].items()}
    return replace(bundle, ticket_ids=bundle.ticket_ids | ticket_ids, **learned, **facts)


def standing(state: State, *, return_flight: bool = True, taxi: bool = True, tickets: int = 0) -> Bundle:
    """Return a bundle that stands there, knowing what it must by then, and some tickets."""
    steps = ["show", INBOUND, *([RETURN] if return_flight else []), *(["taxi"] if taxi else [])]
    known = {
        State.BOOKING_INBOUND_FLIGHT: steps[:1],
        State.BOOKING_RETURN_FLIGHT: steps[:2],
        State.BOOKING_TAXI: steps[:-1],
        State.FINALIZED: steps,
    }
    ends: dict[State, dict[str, Any]] = {
        State.FINALIZED: {"finalized_at": minute(45)},
        State.FAILED: {"finalized_at": minute(45), "failure_reason": "said before"},
    }
    bundle = new_bundle(return_flight=return_flight, taxi=taxi)
    return knowing(bundle, *known.get(state, ()), tickets=tickets, state=state, **ends.get(state, {}))


def moved(bundle: Bundle, *moves: Move) -> Decision:
    """Return the decision that the bundle, as it is known then, makes these moves."""
    return Decision(bundle=replace(bundle, state=moves[-1].to), moves=moves)


def rolled_back(bundle: Bundle, *taken_back: Message, reason: str, at: int) -> Decision:
    """Return the decision that all of this is taken back, and that the end is told."""
    known = replace(bundle, failure_reason=reason, finalized_at=minute(at))
    return moved(known, Move(to=State.ROLLING_BACK, sends=taken_back), Move(to=State.FAILED, sends=(WENT_WRONG,)))


def _booked(flight_id: str, number: int) -> Leg:
    return Leg(flight_id=flight_id, ticket_ids=seats(KEYS[flight_id], number), booked_at=minute(minute_of(flight_id)))

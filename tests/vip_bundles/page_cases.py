"""Each message to each kind of bundle in each state, and what follows, in the words of docs/vip_bundles.md."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import product

from tests.vip_bundles.told import (
    INBOUND,
    RETRY,
    RETURN,
    ROLL_BACK,
    booking_failed,
    booking_made,
    confirmed,
    flight_booked,
    flight_failed,
    initialized,
    standing,
    taxi_booked,
    taxi_failed,
)
from tickets_project.outbox.messages import Message
from tickets_project.outbox.outcomes import NotYet
from vip_bundles.commands import BookFlight, CancelFlightTickets
from vip_bundles.events import VipBundleFinalizedV1
from vip_bundles.facts import Bundle, State
from vip_bundles.process import Decision, Heard, Request, decide

# In the order in which they come when all goes well; then what people ask for.
MESSAGES: dict[str, Heard | Request] = {
    "`VipBundleInitialized_v1`": initialized(),
    "`BookingMade_v1`": booking_made(),
    "`BookingFailed_v1`": booking_failed(),
    "`TicketBookingConfirmed_v1`": confirmed(3),
    "`FlightBooked_v1` (inbound)": flight_booked(INBOUND),
    "`FlightBookingFailed_v1` (inbound)": flight_failed(INBOUND),
    "`FlightBooked_v1` (return)": flight_booked(RETURN),
    "`FlightBookingFailed_v1` (return)": flight_failed(RETURN),
    "`TaxiBooked_v1`": taxi_booked(),
    "`TaxiBookingFailed_v1`": taxi_failed(),
    "retry": RETRY,
    "roll back": ROLL_BACK,
}
# How many of three tickets are confirmed where that matters, and what it is called.
_TICKETS = {
    "`BookingFailed_v1`": {0: "no ticket is confirmed", 2: "a ticket is confirmed"},
    "`FlightBookingFailed_v1` (inbound)": {2: "a ticket is not confirmed", 3: "all tickets are confirmed"},
    "`FlightBookingFailed_v1` (return)": {2: "a ticket is not confirmed", 3: "all tickets are confirmed"},
    "`TaxiBookingFailed_v1`": {2: "a ticket is not confirmed", 3: "all tickets are confirmed"},
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One message to one bundle."""

    name: str
    state: State
    tickets: int
    return_flight: bool
    taxi: bool

    @property
    def before(self) -> Bundle:
        return standing(self.state, return_flight=self.return_flight, taxi=self.taxi, tickets=self.tickets)

    @property
    def decision(self) -> Decision | None:
        """Return what follows, None when the message is to be heard later."""
        try:
            return decide(self.before, MESSAGES[self.name])
        except NotYet:
            return None

    @property
    def path(self) -> list[State]:
        """Return the states that it goes through."""
        return [self.state, *(move.to for move in self.decision.moves)] if self.decision else [self.state]

    def follows(self) -> tuple[str, str, str] | None:
        """Return the next state, what is stored and what is sent; None when nothing is."""
        if self.decision is None:
            return "stays", "nothing", "nothing; it is heard again later"
        if self.decision == Decision(bundle=self.before):
            return None
        _, *states = dict.fromkeys(self.path)
        names = [field.name for field in fields(Bundle) if field.name != "state"]
        known = [name for name in names if getattr(self.before, name) != getattr(self.decision.bundle, name)]
        following = ", then ".join(f"`{state}`" for state in states)
        return following or "stays", ", ".join(known) or "nothing", say(self.decision.sends) or "nothing"


def cases(name: str, state: State) -> list[Case]:
    """Return a message in a state, for each kind of bundle that can be there and can hear it."""
    every = [
        Case(name=name, state=state, tickets=tickets, return_flight=return_flight, taxi=taxi)
        for tickets, return_flight, taxi in product(_TICKETS.get(name, {2: ""}), (True, False), (True, False))
    ]
    flies_back = state is State.BOOKING_RETURN_FLIGHT or "(return)" in name
    rides = state is State.BOOKING_TAXI or "Taxi" in name
    return [case for case in every if (case.return_flight or not flies_back) and (case.taxi or not rides)]


def condition(some: Iterable[Case], every: Iterable[Case]) -> str:
    """Return what some cases have in common that not all of them have."""
    some, every = list(some), list(every)
    said = []
    for words in (
        {case: _TICKETS.get(case.name, {}).get(case.tickets, "") for case in every},
        {case: "return flight wanted" if case.return_flight else "no return flight" for case in every},
        {case: "taxi wanted" if case.taxi else "no taxi" for case in every},
    ):
        common = {words[case] for case in some}
        if common != set(words.values()):
            said += sorted(common)
    return ", ".join(said)


def say(messages: Iterable[Message]) -> str:
    """Return what is sent, in its order."""
    counted = Counter(_say(message) for message in messages)
    return ", ".join(f"{text} for each ticket" if number > 1 else text for text, number in counted.items())


def _say(message: Message) -> str:
    match message:
        case VipBundleFinalizedV1():
            return f"`{message.NAME}` ({'success' if message.success else 'failure'})"
        case BookFlight():
            return f"`{message.NAME}` ({message.idempotency_key.split(':')[1]})"
        case CancelFlightTickets():
            return f"`{message.NAME}` ({message.flight_ticket_id[0].split(':')[1].split('-')[0]})"
    return f"`{message.NAME}`"

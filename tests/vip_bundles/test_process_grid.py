"""Every message in every state, for each kind of bundle, against a table of moves: what nobody thought of fails.

A bundle stands in each state with what it must know by then, and with none, some or all of its tickets confirmed. An
`unwanted` taxi is that of a bundle without one; the flight back of a bundle without one is a flight `elsewhere`.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

import pytest

from bookings.commands import RefundTicket
from tests.vip_bundles.told import (
    BOOK_INBOUND,
    BOOK_RETURN,
    BOOK_SHOW,
    BOOK_TAXI,
    CANCEL_INBOUND,
    CANCEL_RETURN,
    CANCEL_TAXI,
    ELSEWHERE,
    INBOUND,
    REFUNDS,
    RETRY,
    RETURN,
    ROLL_BACK,
    WENT_WELL,
    WENT_WRONG,
    booking_failed,
    booking_made,
    confirmed,
    flight_booked,
    flight_failed,
    initialized,
    knowing,
    minute,
    moved,
    rolled_back,
    standing,
    taxi_booked,
    taxi_failed,
)
from tickets_project.outbox.outcomes import NotYet
from vip_bundles.facts import Bundle, State
from vip_bundles.process import Decision, Heard, Move, Request, decide

TABLE = """
                              tickets  init  show   inbound  return  taxi   rolling  final  failed
VipBundleInitialized          any      next  .      .        .       .      .        .      .
BookingMade                   any      note  next   .        .       .      note     .      note
BookingFailed                 none     .     end    .        .       .      .        .      .
BookingFailed                 some     .     .      .        .       .      .        .      .
BookingFailed                 all      .     .      .        .       .      .        .      .
TicketBookingConfirmed        any      note  note   note     note    note   undo     note   undo
FlightBooked:inbound          any      note  note   next     .       .      undo     .      undo
FlightBooked:return           any      note  note   note     next    .      undo     .      undo
FlightBooked:elsewhere        any      .     .      .        .       .      .        .      .
FlightBookingFailed:inbound   none     .     .      wait     .       .      .        .      .
FlightBookingFailed:inbound   some     .     .      wait     .       .      .        .      .
FlightBookingFailed:inbound   all      .     .      back     .       .      .        .      .
FlightBookingFailed:return    none     .     .      .        wait    .      .        .      .
FlightBookingFailed:return    some     .     .      .        wait    .      .        .      .
FlightBookingFailed:return    all      .     .      .        back    .      .        .      .
FlightBookingFailed:elsewhere any      .     .      .        .       .      .        .      .
TaxiBooked                    any      note  note   note     note    next   undo     .      undo
TaxiBooked:unwanted           any      note  note   note     note    -      undo     note   undo
TaxiBookingFailed             none     .     .      .        .       wait   .        .      .
TaxiBookingFailed             some     .     .      .        .       wait   .        .      .
TaxiBookingFailed             all      .     .      .        .       back   .        .      .
RetryStep                     any      next  again  again    again   again  .        .      .
RollBack                      any      back  back   back     back    back   back     .      .
"""
ROWS = [line.split() for line in TABLE.splitlines()[2:]]
WORDS = {(name, tickets, state): word for name, tickets, *row in ROWS for state, word in zip(State, row, strict=True)}

TICKETS = {"none": 0, "some": 2, "all": 3}
MESSAGES: dict[str, Heard | Request] = {
    "VipBundleInitialized": initialized(),
    "BookingMade": booking_made(),
    "BookingFailed": booking_failed(),
    "FlightBooked:inbound": flight_booked(INBOUND),
    "FlightBooked:return": flight_booked(RETURN),
    "FlightBooked:elsewhere": flight_booked(ELSEWHERE),
    "FlightBookingFailed:inbound": flight_failed(INBOUND),
    "FlightBookingFailed:return": flight_failed(RETURN),
    "FlightBookingFailed:elsewhere": flight_failed(ELSEWHERE),
    "TaxiBooked": taxi_booked(),
    "TaxiBookingFailed": taxi_failed(),
    "RetryStep": RETRY,
    "RollBack": ROLL_BACK,
}
NAMES = [*MESSAGES, "TicketBookingConfirmed"]
ROUTE = [
    State.INITIALIZED,
    State.BOOKING_SHOW,
    State.BOOKING_INBOUND_FLIGHT,
    State.BOOKING_RETURN_FLIGHT,
    State.BOOKING_TAXI,
    State.FINALIZED,
]
SENT = dict(zip(ROUTE[1:], [BOOK_SHOW, BOOK_INBOUND, BOOK_RETURN, BOOK_TAXI, WENT_WELL], strict=True))
NOTED = {"BookingMade": "show", "FlightBooked:inbound": INBOUND, "FlightBooked:return": RETURN, "TaxiBooked": "taxi"}
UNDOING = {"FlightBooked:inbound": CANCEL_INBOUND, "FlightBooked:return": CANCEL_RETURN, "TaxiBooked": CANCEL_TAXI}
REASONS = {
    "BookingFailed": ("sold out", 3),
    "FlightBookingFailed:inbound": ("no seat there", 21),
    "FlightBookingFailed:return": ("no seat back", 31),
    "TaxiBookingFailed": ("no taxi", 41),
    "RollBack": ("the customer is ill", 51),
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One message in one state; what must follow is the method that the table's word names."""

    name: str
    state: State
    tickets: str
    return_flight: bool
    taxi: bool

    def __str__(self) -> str:
        wanted = f"return={self.return_flight:d} taxi={self.taxi:d}"
        return f"{self.name}, {self.tickets} confirmed, {self.state}, {wanted}"

    @property
    def bundle(self) -> Bundle:
        number = TICKETS[self.tickets]
        return standing(self.state, return_flight=self.return_flight, taxi=self.taxi, tickets=number)

    @property
    def message(self) -> Heard | Request:
        return confirmed(self.ticket) if self.name == "TicketBookingConfirmed" else MESSAGES[self.name]

    @property
    def ticket(self) -> int:
        """Return the number of the next ticket."""
        return TICKETS[self.tickets] + 1

    @property
    def row(self) -> tuple[str, str, State]:
        name = self.name
        if name.endswith(":return") and not self.return_flight:
            name = name.replace("return", "elsewhere")
        if name == "TaxiBooked" and not self.taxi:
            name = "TaxiBooked:unwanted"
        row = (name, self.tickets, self.state)
        return row if row in WORDS else (name, "any", self.state)

    @property
    def noted(self) -> Bundle:
        if self.name == "TicketBookingConfirmed":
            return knowing(self.bundle, tickets=self.ticket)
        return knowing(self.bundle, NOTED[self.name]) if self.name in NOTED else self.bundle

    def expected(self) -> Decision | None:
        follows = {".": self.stay, "note": self.note, "next": self.next, "again": self.again}
        follows |= {"undo": self.undo, "end": self.end, "back": self.back}
        word = WORDS[self.row]
        return None if word == "wait" else follows[word]()

    def stay(self) -> Decision:
        return Decision(bundle=self.bundle)

    def note(self) -> Decision:
        return Decision(bundle=self.noted)

    def next(self) -> Decision:
        missing = {State.BOOKING_RETURN_FLIGHT: not self.return_flight, State.BOOKING_TAXI: not self.taxi}
        step = next(step for step in ROUTE[ROUTE.index(self.state) + 1 :] if not missing.get(step))
        at = self.message.header.published_at if step is State.FINALIZED else None  # type: ignore[union-attr] # no request ends well
        return moved(replace(self.noted, finalized_at=at), Move(to=step, sends=(SENT[step],)))

    def again(self) -> Decision:
        return moved(self.bundle, Move(to=self.state, sends=(SENT[self.state],)))

    def undo(self) -> Decision:
        command = UNDOING.get(self.name) or RefundTicket(ticket_id=f"ticket-{self.ticket}")
        return moved(self.noted, Move(to=self.state, sends=(command,)))

    def end(self) -> Decision:
        reason, at = REASONS[self.name]
        known = replace(self.bundle, failure_reason=reason, finalized_at=minute(at))
        return moved(known, Move(to=State.FAILED, sends=(WENT_WRONG,)))

    def back(self) -> Decision:
        legs = {
            State.BOOKING_RETURN_FLIGHT: [CANCEL_INBOUND],
            State.BOOKING_TAXI: [CANCEL_INBOUND, *([CANCEL_RETURN] if self.return_flight else [])],
        }
        reason, at = REASONS[self.name]
        taken_back = [*REFUNDS[: TICKETS[self.tickets]], *legs.get(self.state, [])]
        return rolled_back(self.bundle, *taken_back, reason=reason, at=at)


def cells(name: str, state: State) -> list[Cell]:
    """Return the message in the state, for each kind of bundle that can be there."""
    return [
        Cell(name=name, state=state, tickets=tickets, return_flight=return_flight, taxi=taxi)
        for tickets, return_flight, taxi in product(TICKETS, (True, False), (True, False))
        if (return_flight or state is not State.BOOKING_RETURN_FLIGHT) and (taxi or state is not State.BOOKING_TAXI)
    ]


def heard(bundle: Bundle, message: Heard | Request) -> Decision | None:
    """Return what is decided, None when it is to be heard later."""
    try:
        return decide(bundle, message)
    except NotYet:
        return None


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", NAMES)
class TestDecide:
    def test_is_what_the_table_says(self, name: str, state: State) -> None:
        for cell in cells(name, state):
            assert (str(cell), heard(cell.bundle, cell.message)) == (str(cell), cell.expected())

    def test_lets_nothing_follow_a_repetition(self, name: str, state: State) -> None:
        for cell in cells(name, state):
            once = heard(cell.bundle, cell.message)
            if once and name != "RetryStep":
                assert (str(cell), decide(once.bundle, cell.message)) == (str(cell), Decision(bundle=once.bundle))


class TestTable:
    def test_has_every_message_and_request(self) -> None:
        known = {message.__name__.removesuffix("V1") for message in get_args(Heard | Request)}
        assert {name.split(":")[0] for name, *_ in ROWS} == known

    def test_is_asked_about_every_message_and_request(self) -> None:
        assert {type(cell.message) for name in NAMES for cell in cells(name, State.FAILED)} == set(
            get_args(Heard | Request)
        )

    def test_has_every_row_once(self) -> None:
        assert len(WORDS) == len(ROWS) * len(State)

    def test_is_asked_for_each_of_its_words(self) -> None:
        asked = {cell.row for name, state in product(NAMES, State) for cell in cells(name, state)}
        assert asked == {row for row, word in WORDS.items() if word != "-"}

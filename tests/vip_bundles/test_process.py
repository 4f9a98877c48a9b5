"""What follows from each message: given a bundle, when it hears something, then this is known and sent."""

from dataclasses import replace

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
    header,
    initialized,
    knowing,
    minute,
    moved,
    new_bundle,
    rolled_back,
    standing,
    taxi_booked,
    taxi_failed,
)
from tickets_project.outbox.messages import Message
from tickets_project.outbox.outcomes import NotYet
from vip_bundles.facts import State
from vip_bundles.process import Decision, Heard, Move, Request, decide, waits_for

SHOW_STEP, INBOUND_STEP = State.BOOKING_SHOW, State.BOOKING_INBOUND_FLIGHT
RETURN_STEP, TAXI_STEP = State.BOOKING_RETURN_FLIGHT, State.BOOKING_TAXI
STEPS = {SHOW_STEP: BOOK_SHOW, INBOUND_STEP: BOOK_INBOUND, RETURN_STEP: BOOK_RETURN, TAXI_STEP: BOOK_TAXI}
FAILURES = [
    (INBOUND_STEP, flight_failed(INBOUND)),
    (RETURN_STEP, flight_failed(RETURN)),
    (TAXI_STEP, taxi_failed()),
    (None, flight_failed(ELSEWHERE)),
]


class TestDecideWhenAllGoesWell:
    def test_asks_for_the_show_first(self) -> None:
        bundle = standing(State.INITIALIZED)
        assert decide(bundle, initialized()) == moved(bundle, Move(to=SHOW_STEP, sends=(BOOK_SHOW,)))

    def test_asks_for_the_flight_there_once_the_booking_is_made(self) -> None:
        expected = moved(knowing(standing(SHOW_STEP), "show"), Move(to=INBOUND_STEP, sends=(BOOK_INBOUND,)))
        assert decide(standing(SHOW_STEP), booking_made()) == expected

    def test_asks_for_the_flight_back_after_the_one_there(self) -> None:
        expected = moved(knowing(standing(INBOUND_STEP), INBOUND), Move(to=RETURN_STEP, sends=(BOOK_RETURN,)))
        assert decide(standing(INBOUND_STEP), flight_booked(INBOUND)) == expected

    def test_asks_for_the_taxi_after_the_flights(self) -> None:
        expected = moved(knowing(standing(RETURN_STEP), RETURN), Move(to=TAXI_STEP, sends=(BOOK_TAXI,)))
        assert decide(standing(RETURN_STEP), flight_booked(RETURN)) == expected

    def test_asks_for_the_taxi_after_the_only_flight(self) -> None:
        bundle = standing(INBOUND_STEP, return_flight=False)
        expected = moved(knowing(bundle, INBOUND), Move(to=TAXI_STEP, sends=(BOOK_TAXI,)))
        assert decide(bundle, flight_booked(INBOUND)) == expected

    def test_ends_after_the_taxi(self) -> None:
        known = knowing(standing(TAXI_STEP), "taxi", finalized_at=minute(40))
        assert decide(standing(TAXI_STEP), taxi_booked()) == moved(known, Move(to=State.FINALIZED, sends=(WENT_WELL,)))

    def test_ends_after_the_flight_back_when_no_taxi_is_wanted(self) -> None:
        bundle = standing(RETURN_STEP, taxi=False)
        known = knowing(bundle, RETURN, finalized_at=minute(30))
        assert decide(bundle, flight_booked(RETURN)) == moved(known, Move(to=State.FINALIZED, sends=(WENT_WELL,)))

    def test_ends_after_the_only_flight_when_no_taxi_is_wanted(self) -> None:
        bundle = standing(INBOUND_STEP, return_flight=False, taxi=False)
        known = knowing(bundle, INBOUND, finalized_at=minute(20))
        assert decide(bundle, flight_booked(INBOUND)) == moved(known, Move(to=State.FINALIZED, sends=(WENT_WELL,)))

    @pytest.mark.parametrize("state", [state for state in State if state not in (State.ROLLING_BACK, State.FAILED)])
    def test_notes_a_confirmed_ticket_and_sends_nothing(self, state: State) -> None:
        bundle = standing(state, tickets=1)
        assert decide(bundle, confirmed(2)) == Decision(bundle=knowing(bundle, tickets=2))

    def test_notes_a_ticket_once(self) -> None:
        bundle = standing(INBOUND_STEP, tickets=1)
        assert decide(bundle, confirmed(1)) == Decision(bundle=bundle)

    def test_passes_through_steps_that_are_done(self) -> None:
        bundle = knowing(standing(INBOUND_STEP), RETURN)
        expected = moved(knowing(bundle, INBOUND), Move(to=RETURN_STEP), Move(to=TAXI_STEP, sends=(BOOK_TAXI,)))
        assert decide(bundle, flight_booked(INBOUND)) == expected

    def test_passes_through_every_step_to_the_end(self) -> None:
        bundle = knowing(new_bundle(), "show", INBOUND, RETURN, "taxi")
        steps = [Move(to=step) for step in STEPS]
        expected = moved(replace(bundle, finalized_at=minute(1)), *steps, Move(to=State.FINALIZED, sends=(WENT_WELL,)))
        assert decide(bundle, initialized()) == expected


class TestDecideWhenAStepFails:
    def test_ends_at_once_when_the_show_is_sold_out(self) -> None:
        known = replace(standing(SHOW_STEP), failure_reason="sold out", finalized_at=minute(3))
        expected = moved(known, Move(to=State.FAILED, sends=(WENT_WRONG,)))
        assert decide(standing(SHOW_STEP), booking_failed()) == expected

    def test_refunds_the_tickets_when_the_flight_there_fails(self) -> None:
        bundle = standing(INBOUND_STEP, tickets=3)
        expected = rolled_back(bundle, *REFUNDS, reason="no seat there", at=21)
        assert decide(bundle, flight_failed(INBOUND)) == expected

    def test_cancels_the_flight_there_too_when_the_one_back_fails(self) -> None:
        bundle = standing(RETURN_STEP, tickets=3)
        expected = rolled_back(bundle, *REFUNDS, CANCEL_INBOUND, reason="no seat back", at=31)
        assert decide(bundle, flight_failed(RETURN)) == expected

    def test_cancels_both_flights_when_the_taxi_fails(self) -> None:
        bundle = standing(TAXI_STEP, tickets=3)
        expected = rolled_back(bundle, *REFUNDS, CANCEL_INBOUND, CANCEL_RETURN, reason="no taxi", at=41)
        assert decide(bundle, taxi_failed()) == expected

    def test_cancels_the_only_flight_when_the_taxi_fails(self) -> None:
        bundle = standing(TAXI_STEP, return_flight=False, tickets=3)
        expected = rolled_back(bundle, *REFUNDS, CANCEL_INBOUND, reason="no taxi", at=41)
        assert decide(bundle, taxi_failed()) == expected

    @pytest.mark.parametrize("taxi", [True, False])
    def test_refunds_the_tickets_when_the_only_flight_fails(self, *, taxi: bool) -> None:
        bundle = standing(INBOUND_STEP, return_flight=False, taxi=taxi, tickets=3)
        expected = rolled_back(bundle, *REFUNDS, reason="no seat there", at=21)
        assert decide(bundle, flight_failed(INBOUND)) == expected

    @pytest.mark.parametrize(
        ("state", "message", "commands"),
        [
            (SHOW_STEP, booking_failed(), 0),
            (INBOUND_STEP, flight_failed(INBOUND), 3),
            (RETURN_STEP, flight_failed(RETURN), 4),
            (TAXI_STEP, taxi_failed(), 5),
        ],
    )
    def test_sends_so_many_commands_for_three_tickets_and_ends_once(
        self, state: State, message: Heard, commands: int
    ) -> None:
        *sent, last = decide(standing(state, tickets=0 if state is SHOW_STEP else 3), message).sends
        assert len(sent) == commands
        assert last == WENT_WRONG
        assert {each.KIND for each in sent} <= {"command"}

    def test_refunds_a_ticket_too_many_as_well(self) -> None:
        sent = decide(standing(INBOUND_STEP, tickets=4), flight_failed(INBOUND)).sends
        assert sent == (*REFUNDS, RefundTicket(ticket_id="ticket-4"), WENT_WRONG)

    @pytest.mark.parametrize("tickets", [0, 1, 2])
    @pytest.mark.parametrize(("state", "message"), FAILURES[:3])
    def test_decides_nothing_before_every_ticket_is_confirmed(self, state: State, message: Heard, tickets: int) -> None:
        with pytest.raises(NotYet, match=f"^{tickets} of 3 tickets are confirmed"):
            decide(standing(state, tickets=tickets), message)


class TestDecideOnAnOldFailure:
    """It is repeated, or a retry has gone well since."""

    @pytest.mark.parametrize("tickets", [0, 3])
    @pytest.mark.parametrize("state", [state for state in State if state is not SHOW_STEP])
    def test_of_the_show_does_nothing(self, state: State, tickets: int) -> None:
        bundle = standing(state, tickets=tickets)
        assert decide(bundle, booking_failed()) == Decision(bundle=bundle)

    def test_of_the_show_does_nothing_once_a_ticket_is_confirmed(self) -> None:
        bundle = standing(SHOW_STEP, tickets=1)
        assert decide(bundle, booking_failed()) == Decision(bundle=bundle)

    @pytest.mark.parametrize("tickets", [0, 3])
    @pytest.mark.parametrize(
        ("state", "message"),
        [(state, message) for step, message in FAILURES for state in State if state is not step],
    )
    def test_of_another_step_does_nothing(self, state: State, message: Heard, tickets: int) -> None:
        bundle = standing(state, tickets=tickets)
        assert decide(bundle, message) == Decision(bundle=bundle)


@pytest.mark.parametrize("state", [State.ROLLING_BACK, State.FAILED])
class TestDecideAfterAFailure:
    def test_refunds_a_ticket_that_is_confirmed_late(self, state: State) -> None:
        bundle = standing(state, tickets=1)
        late = Move(to=state, sends=(RefundTicket(ticket_id="ticket-2"),))
        assert decide(bundle, confirmed(2)) == moved(knowing(bundle, tickets=2), late)

    def test_cancels_a_flight_that_is_booked_late(self, state: State) -> None:
        bundle = standing(state)
        late = Move(to=state, sends=(CANCEL_INBOUND,))
        assert decide(bundle, flight_booked(INBOUND)) == moved(knowing(bundle, INBOUND), late)

    def test_cancels_a_flight_back_that_is_booked_late_alone(self, state: State) -> None:
        bundle = knowing(standing(state, tickets=3), "show", INBOUND)
        late = Move(to=state, sends=(CANCEL_RETURN,))
        assert decide(bundle, flight_booked(RETURN)) == moved(knowing(bundle, RETURN), late)

    def test_cancels_a_taxi_that_is_booked_late(self, state: State) -> None:
        bundle = knowing(standing(state, tickets=3), "show", INBOUND, RETURN)
        late = Move(to=state, sends=(CANCEL_TAXI,))
        assert decide(bundle, taxi_booked()) == moved(knowing(bundle, "taxi"), late)

    def test_notes_a_late_booking_and_asks_for_no_flight(self, state: State) -> None:
        bundle = standing(state)
        assert decide(bundle, booking_made()) == Decision(bundle=knowing(bundle, "show"))

    @pytest.mark.parametrize("message", [confirmed(1), flight_booked(INBOUND), flight_booked(RETURN), taxi_booked()])
    def test_takes_nothing_back_twice(self, state: State, message: Heard) -> None:
        bundle = knowing(standing(state, tickets=3), "show", INBOUND, RETURN, "taxi")
        assert decide(bundle, message) == Decision(bundle=bundle)


class TestDecideOnARetry:
    @pytest.mark.parametrize("state", STEPS)
    def test_asks_for_the_step_again_under_the_same_key(self, state: State) -> None:
        bundle = standing(state)
        assert decide(bundle, RETRY) == moved(bundle, Move(to=state, sends=(STEPS[state],)))

    def test_begins_a_bundle_that_has_not_begun(self) -> None:
        bundle = standing(State.INITIALIZED)
        assert decide(bundle, RETRY) == moved(bundle, Move(to=SHOW_STEP, sends=(BOOK_SHOW,)))

    @pytest.mark.parametrize("state", [State.ROLLING_BACK, State.FINALIZED, State.FAILED])
    def test_does_nothing_where_nothing_is_awaited(self, state: State) -> None:
        assert decide(standing(state), RETRY) == Decision(bundle=standing(state))


class TestDecideOnARollBack:
    @pytest.mark.parametrize(
        ("state", "legs"),
        [
            (State.INITIALIZED, ()),
            (SHOW_STEP, ()),
            (INBOUND_STEP, ()),
            (RETURN_STEP, (CANCEL_INBOUND,)),
            (TAXI_STEP, (CANCEL_INBOUND, CANCEL_RETURN)),
        ],
    )
    @pytest.mark.parametrize("tickets", [0, 2, 3])
    def test_takes_back_what_is_known_without_waiting(
        self, state: State, legs: tuple[Message, ...], tickets: int
    ) -> None:
        bundle = standing(state, tickets=tickets)
        expected = rolled_back(bundle, *REFUNDS[:tickets], *legs, reason="the customer is ill", at=51)
        assert decide(bundle, ROLL_BACK) == expected

    @pytest.mark.parametrize("state", [State.FINALIZED, State.FAILED])
    def test_does_nothing_after_the_end(self, state: State) -> None:
        assert decide(standing(state, tickets=3), ROLL_BACK) == Decision(bundle=standing(state, tickets=3))

    def test_of_a_bundle_that_has_not_begun_keeps_it_from_beginning(self) -> None:
        ended = decide(standing(State.INITIALIZED), ROLL_BACK).bundle
        assert decide(ended, initialized()) == Decision(bundle=ended)

    def test_takes_back_a_taxi_that_nobody_waits_for(self) -> None:
        bundle = knowing(standing(RETURN_STEP), "taxi")
        assert decide(bundle, ROLL_BACK).sends == (CANCEL_INBOUND, CANCEL_TAXI, WENT_WRONG)


class TestDecideOnARepetition:
    @pytest.mark.parametrize("message", [initialized(), confirmed(1), flight_booked(INBOUND), taxi_booked(), ROLL_BACK])
    @pytest.mark.parametrize("state", State)
    def test_changes_and_sends_nothing(self, state: State, message: Heard | Request) -> None:
        once = decide(standing(state), message).bundle
        assert decide(once, message) == Decision(bundle=once)

    @pytest.mark.parametrize(
        "message",
        [booking_made(), flight_booked(INBOUND), flight_booked(INBOUND, key="another"), taxi_booked("another")],
    )
    def test_keeps_what_was_told_first(self, message: Heard) -> None:
        later = replace(message, header=header(99))
        assert decide(standing(State.FINALIZED), later) == Decision(bundle=standing(State.FINALIZED))

    def test_of_a_flight_of_somebody_else_changes_nothing(self) -> None:
        for state in State:
            assert decide(standing(state), flight_booked(ELSEWHERE)) == Decision(bundle=standing(state))


class TestWaitsFor:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (State.INITIALIZED, "VipBundleInitialized_v1"),
            (SHOW_STEP, "BookingMade_v1 or BookingFailed_v1"),
            (INBOUND_STEP, "FlightBooked_v1 or FlightBookingFailed_v1"),
            (RETURN_STEP, "FlightBooked_v1 or FlightBookingFailed_v1"),
            (TAXI_STEP, "TaxiBooked_v1 or TaxiBookingFailed_v1"),
            (State.ROLLING_BACK, None),
            (State.FINALIZED, None),
            (State.FAILED, None),
        ],
    )
    def test_names_what_ends_the_step(self, state: State, expected: str | None) -> None:
        assert waits_for(state) == expected

"""The ops read model: the same rows, whatever the order and however often."""

import random
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial
from itertools import permutations
from threading import Barrier, BrokenBarrierError
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.handlers.read_model import HANDLERS
from tests.bookings.threads import at_once
from tests.bookings.told import (
    ADA,
    BOOKING,
    FIRST,
    SECOND,
    SHOW,
    after,
    confirmed,
    made,
    printed,
    receipt,
    refunded,
    rows,
    tell,
    ticket_row,
)
from tickets_project.outbox.messages import Message
from tickets_project.subscriptions import SUBSCRIPTIONS

pytestmark = pytest.mark.django_db

OF_THE_BOOKING = {
    "booking_id": BOOKING,
    "booked_at": after(0),
    "show_id": SHOW,
    "number_of_tickets": 2,
    "customer_email": ADA,
}
CONFIRMED = {
    "booking_id": BOOKING,
    "customer_email": ADA,
    "price_amount": Decimal("50.30"),
    "price_currency": "EUR",
    "confirmed_at": after(1),
}
OF_THE_FIRST = ticket_row(
    **CONFIRMED,
    printed_at=after(2),
    file_name="a.html",
    receipt_number="R-1",
    receipt_issued_at=after(-97),
    refunded_at=after(4),
)
OF_THE_SECOND = ticket_row(
    **CONFIRMED
    | {"ticket_id": SECOND, "confirmed_at": after(11), "price_amount": Decimal("9.00"), "printed_at": after(12)},
    file_name="b.html",
    receipt_number="R-2",
    receipt_issued_at=after(-87),
    refunded_at=after(14),
)
ALL = ([OF_THE_BOOKING], [OF_THE_FIRST, OF_THE_SECOND])
# Each step tells of the booking, or one fact of each ticket.
STEPS: list[list[Message]] = [
    [made()],
    [confirmed(), confirmed(11, ticket=SECOND, price="9.00")],
    [printed(), printed(12, ticket=SECOND, file_name="b.html")],
    [receipt(), receipt(13, ticket=SECOND, number="R-2")],
    [refunded(), refunded(14, ticket=SECOND)],
]
# Told of by mistake, or by two: later, or at the same time and later in the alphabet.
TOLD_AGAIN: list[Message] = [
    made(5, email="eve@customers.example"),
    made(0, tickets=3),
    confirmed(6, booking_id=str(UUID(int=99))),
    confirmed(1, price="50.31"),
    confirmed(1, booking_id=str(UUID(int=98))),
    printed(7, file_name="0.html"),
    printed(2, file_name="b.html"),
    receipt(8, number="R-0"),
    receipt(3, number="R-9"),
    refunded(9),
]
MESSAGES = [message for step in STEPS for message in step] + TOLD_AGAIN


def told(messages: Sequence[Message]) -> object:
    """Return what the messages come to, and forget it."""
    with transaction.atomic():
        tell(*messages)
        found = rows()
        transaction.set_rollback(True)
    return found


class TestHandlers:
    @pytest.mark.parametrize("order", list(permutations(range(len(STEPS)))))
    def test_come_to_the_same_rows_in_every_order(self, order: tuple[int, ...]) -> None:
        messages = [message for step in order for message in STEPS[step]]
        tell(*messages)
        assert rows() == ALL
        tell(*reversed(messages))
        assert rows() == ALL

    @settings(max_examples=150, deadline=None)
    @given(st.permutations(MESSAGES), st.lists(st.sampled_from(MESSAGES), max_size=10))
    def test_come_to_the_same_rows_however_often(self, messages: list[Message], again: list[Message]) -> None:
        assert told([*messages, *again]) == ALL
        assert told([*again, *messages]) == ALL

    def test_hear_what_the_table_says(self) -> None:
        table = {entry.message: entry.handler for entry in SUBSCRIPTIONS if entry.key.startswith("bookings.ops_")}
        assert table == HANDLERS


class TestOnBookingMade:
    def test_knows_the_booking_by_itself(self) -> None:
        tell(made())
        assert rows() == ([OF_THE_BOOKING], [])

    def test_keeps_bookings_apart(self) -> None:
        other = uuid4()
        tell(made(), made(2, booking=other))
        assert [row["booking_id"] for row in rows()[0]] == sorted([BOOKING, other])


class TestOnTicketConfirmed:
    def test_knows_the_ticket_by_itself(self) -> None:
        tell(confirmed())
        assert rows() == ([], [ticket_row(**CONFIRMED)])

    def test_takes_a_ticket_without_a_booking(self) -> None:
        tell(confirmed(booking_id=""), confirmed(2, booking_id=""))
        assert rows() == ([], [ticket_row(**CONFIRMED | {"booking_id": None})])

    def test_keeps_what_the_vendor_says_of_an_unknown_booking(self) -> None:
        unknown = uuid4()
        tell(made(), confirmed(booking_id=str(unknown)))
        assert rows() == ([OF_THE_BOOKING], [ticket_row(**CONFIRMED | {"booking_id": unknown})])

    def test_refuses_an_id_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="UUID"):
            tell(confirmed(booking_id="show-7"))


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        (printed(), {"printed_at": after(2), "file_name": "a.html"}),
        (receipt(), {"receipt_issued_at": after(-97), "receipt_number": "R-1"}),
        (refunded(), {"refunded_at": after(4)}),
    ],
)
class TestEachFact:
    def test_is_known_by_itself(self, message: Message, facts: dict[str, object]) -> None:
        tell(message)
        assert rows() == ([], [ticket_row(**facts)])

    def test_leaves_the_others_alone(self, message: Message, facts: dict[str, object]) -> None:
        tell(confirmed(), message)
        assert rows() == ([], [ticket_row(**CONFIRMED, **facts)])


class TestOnReceiptIssued:
    def test_takes_the_time_of_the_receipts_service(self) -> None:
        tell(receipt(3, issued_at=after(90)), receipt(4, issued_at=after(80), number="R-2"))
        [ticket] = rows()[1]
        assert (ticket["receipt_issued_at"], ticket["receipt_number"]) == (after(80), "R-2")

    def test_knows_the_receipt_of_the_ticket_alone(self) -> None:
        tell(receipt(ticket=FIRST), refunded(ticket=SECOND))
        assert [row["receipt_number"] for row in rows()[1]] == ["R-1", ""]


def tell_in_this_order(meeting: Barrier, *messages: Message) -> None:
    """Tell all in one transaction; meet the other one after the first, if it gets so far."""
    with transaction.atomic():
        for message in messages:
            tell(message)
            with suppress(BrokenBarrierError):
                meeting.wait(timeout=0.5)


def meet_halfway(*, in_order: bool) -> None:
    """Tell of two tickets' printing and, at the same time, of their receipts: in the tickets' order or against it."""
    meeting = Barrier(2)
    prints, receipts = [printed(), printed(ticket=SECOND)], [receipt(), receipt(ticket=SECOND)]
    told = receipts if in_order else receipts[::-1]
    at_once([partial(tell_in_this_order, meeting, *messages) for messages in (prints, told)])


@pytest.mark.django_db(transaction=True)
class TestHandlersAtOnce:
    def test_would_wait_in_a_circle_in_any_order(self) -> None:
        """Shows why a dispatcher commits a batch in the order of its aggregates."""
        with pytest.raises(OperationalError, match="deadlock"):
            meet_halfway(in_order=False)

    def test_wait_for_each_other_in_the_order_of_the_tickets(self) -> None:
        meet_halfway(in_order=True)
        assert [(row["file_name"], row["receipt_number"]) for row in rows()[1]] == [("a.html", "R-1")] * 2

    def test_come_to_the_same_rows_from_eight_sides(self) -> None:
        at_once([partial(tell, *random.sample(MESSAGES, len(MESSAGES))) for _ in range(8)])
        assert rows() == ALL

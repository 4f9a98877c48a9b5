"""The transport commands through the outbox: what fails is tried again under its key, and its outcome told once."""

from functools import partial

import pytest

from tests.bookings.money import Calls, Fault, meanwhile, tell, wait_for
from tests.bookings.published import names, payload, payloads
from tests.vip_bundles.handlers.traffic import (
    Booking,
    Cancelling,
    deliver_now,
    each_booking,
    each_cancelling,
    each_trouble,
    fly,
    ids_in,
    keys,
    open_transactions,
    refusing,
    standing,
)
from tests.working import deliver_due
from tickets_project.correlation import Trace, tracing
from tickets_project.gateway import transportation
from tickets_project.outbox.models import Delivery, Message
from vip_bundles.commands import CancelFlightTickets


@each_booking
@pytest.mark.django_db(transaction=True)
class TestBookingDelivered:
    def test_books_and_tells_once(self, booking: Booking, calls: Calls) -> None:
        tell(booking.command)
        for _ in range(3):
            booking.deliver()
        assert standing(booking.key) == [("delivered", 1)]
        assert booking.outcomes() == [booking.booked]
        assert booking.announced_ids() == booking.upstream()
        assert [call["status"] for call in calls(booking.operation)] == [201]

    @pytest.mark.usefixtures("simulator")
    def test_belongs_to_the_trace_of_its_command(self, booking: Booking, calls: Calls) -> None:
        with tracing(Trace(correlation_id="c1")):
            tell(booking.command)
        booking.deliver()
        assert [call["correlation_id"] for call in calls(booking.operation)] == ["c1"]
        told = Message.objects.get(type=booking.booked)
        assert told.headers["correlation_id"] == "c1"
        assert told.headers["causation_id"] == str(Message.objects.get(type=booking.command.NAME).id)
        assert (told.aggregatetype, told.aggregateid) == ("vip_bundle", "bundle-1")

    def test_tells_of_a_409_once_and_is_never_tried_again(self, booking: Booking, fault: Fault, calls: Calls) -> None:
        fault(booking.operation, status=409)
        tell(booking.command)
        for _ in range(3):
            booking.deliver()
        assert standing(booking.key) == [("delivered", 1)]
        assert booking.outcomes() == [booking.failed]
        assert payload(booking.failed)["failure_reason"] in {
            "The flight has no seats left for all passengers.",
            "No taxi is to be had.",
        }
        assert (booking.upstream(), len(calls(booking.operation))) == ([], 1)

    @pytest.mark.usefixtures("impatient")
    @each_trouble
    def test_is_tried_again_under_its_key_until_it_is_booked(
        self, booking: Booking, fault: Fault, calls: Calls, trouble: dict[str, object]
    ) -> None:
        fault(booking.operation, count=2, **trouble)
        tell(booking.command)
        for attempts in (1, 2):
            booking.deliver()
            assert standing(booking.key) == [("pending", attempts)]
            assert booking.outcomes() == []
        booking.deliver()
        assert standing(booking.key) == [("delivered", 3)]
        assert booking.outcomes() == [booking.booked]
        assert booking.announced_ids() == booking.upstream()
        assert keys(calls(booking.operation)) == {booking.command.idempotency_key}

    def test_never_ends_in_a_failure_without_a_409(self, booking: Booking, fault: Fault) -> None:
        fault(booking.operation, count=100, status=500)
        tell(booking.command)
        for _ in range(20):
            booking.deliver()
        assert standing(booking.key) == [("parked", 12)]
        assert booking.outcomes() == []

    @pytest.mark.parametrize("status", [400, 403])
    def test_is_parked_at_once_by_a_refusal(self, booking: Booking, fault: Fault, status: int) -> None:
        fault(booking.operation, status=status)
        tell(booking.command)
        booking.deliver()
        assert standing(booking.key) == [("parked", 1)]
        assert booking.outcomes() == []
        assert f"answered {status}" in Delivery.objects.get(handler=booking.key).last_error

    @pytest.mark.usefixtures("simulator")
    def test_takes_no_trouble_of_the_database_for_a_failure(self, booking: Booking) -> None:
        tell(booking.command)
        with refusing(booking.booked):
            booking.deliver()
        assert standing(booking.key) == [("pending", 1)]
        assert "disk full" in Delivery.objects.get(handler=booking.key).last_error
        assert booking.outcomes() == []
        booked = booking.upstream()
        booking.deliver()
        assert standing(booking.key) == [("delivered", 2)]
        assert booking.outcomes() == [booking.booked]
        assert booking.announced_ids() == booking.upstream() == booked

    def test_asks_again_when_a_failure_could_not_be_recorded(self, booking: Booking, fault: Fault) -> None:
        fault(booking.operation, status=409)
        tell(booking.command)
        with refusing(booking.failed):
            booking.deliver()
        assert booking.outcomes() == []
        booking.deliver()
        assert booking.outcomes() == [booking.booked]
        assert booking.announced_ids() == booking.upstream()

    def test_books_once_for_a_command_that_comes_twice(self, booking: Booking, calls: Calls) -> None:
        tell(booking.command, booking.command)
        booking.deliver()
        assert standing(booking.key) == [("delivered", 1)] * 2
        first, second = map(booking.announced, payloads(booking.booked))
        assert first == second == booking.upstream()
        assert keys(calls(booking.operation)) == {booking.command.idempotency_key}

    def test_books_once_for_two_deliveries_at_the_same_time(self, booking: Booking, fault: Fault, calls: Calls) -> None:
        fault(booking.operation, delay_ms=300)
        tell(booking.command)
        with meanwhile(partial(deliver_due, booking.key)):
            wait_for(calls, booking.operation)
            tell(booking.command)
            deliver_due(booking.key)
        assert standing(booking.key) == [("delivered", 1)] * 2
        first, second = map(booking.announced, payloads(booking.booked))
        assert first == second == booking.upstream()

    def test_holds_no_transaction_while_it_asks(self, booking: Booking, fault: Fault, calls: Calls) -> None:
        fault(booking.operation, delay_ms=300)
        tell(booking.command)
        with meanwhile(booking.deliver) as delivering:
            wait_for(calls, booking.operation)
            seen = open_transactions()
            assert not delivering.done()
        assert seen == 0
        assert booking.outcomes() == [booking.booked]


@pytest.mark.django_db(transaction=True)
class TestCancelFlightTicketsDelivered:
    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize("trouble", [{"status": 500}, {"drop": "before"}, {"drop": "after"}, {"delay_ms": 4000}])
    def test_cancels_all_though_one_in_the_middle_fails_at_first(
        self, fault: Fault, calls: Calls, trouble: dict[str, object]
    ) -> None:
        ids = fly()
        fault("flights.cancel", delay_ms=1)
        fault("flights.cancel", **trouble)
        tell(CancelFlightTickets(flight_ticket_id=ids, reference_id="bundle-1"))
        deliver_now("vip_bundles.cancel_flight")
        assert standing("vip_bundles.cancel_flight") == [("pending", 1)]
        assert ids_in(calls("flights.cancel")) == ids[:2]
        deliver_now("vip_bundles.cancel_flight")
        assert standing("vip_bundles.cancel_flight") == [("delivered", 2)]
        assert ids_in(calls("flights.cancel")) == [*ids[:2], *ids]
        assert all(ticket.cancelled for ticket in transportation.flight_tickets())


@each_cancelling
@pytest.mark.django_db(transaction=True)
class TestCancellingDelivered:
    def test_cancels_and_tells_nobody(self, cancelling: Cancelling, calls: Calls) -> None:
        ids = cancelling.book()
        tell(cancelling.command(ids))
        for _ in range(3):
            cancelling.deliver()
        assert standing(cancelling.key) == [("delivered", 1)]
        assert all(cancelling.cancelled())
        assert ids_in(calls(cancelling.operation)) == ids
        assert len(names()) == 1

    @pytest.mark.usefixtures("simulator")
    def test_succeeds_for_a_command_that_comes_twice(self, cancelling: Cancelling) -> None:
        command = cancelling.command(cancelling.book())
        tell(command, command)
        cancelling.deliver()
        assert standing(cancelling.key) == [("delivered", 1)] * 2
        assert all(cancelling.cancelled())

    @pytest.mark.usefixtures("impatient")
    @each_trouble
    def test_is_tried_again_until_it_is_cancelled(
        self, cancelling: Cancelling, fault: Fault, trouble: dict[str, object]
    ) -> None:
        ids = cancelling.book()
        fault(cancelling.operation, count=2, **trouble)
        tell(cancelling.command(ids))
        while standing(cancelling.key)[-1][0] == "pending":
            cancelling.deliver()
        [(status, attempts)] = standing(cancelling.key)
        assert (status, attempts) == ("delivered", 3)
        assert all(cancelling.cancelled())

    @pytest.mark.parametrize(("status", "standing_then"), [(500, "pending"), (403, "parked")])
    def test_swallows_no_error(self, cancelling: Cancelling, fault: Fault, status: int, standing_then: str) -> None:
        ids = cancelling.book()
        fault(cancelling.operation, status=status)
        tell(cancelling.command(ids))
        cancelling.deliver()
        assert standing(cancelling.key) == [(standing_then, 1)]
        assert f"answered {status}" in Delivery.objects.get(handler=cancelling.key).last_error
        assert not cancelling.cancelled()[0]

    def test_holds_no_transaction_while_it_asks(self, cancelling: Cancelling, fault: Fault, calls: Calls) -> None:
        ids = cancelling.book()
        fault(cancelling.operation, delay_ms=300)
        tell(cancelling.command(ids))
        with meanwhile(cancelling.deliver) as delivering:
            wait_for(calls, cancelling.operation)
            seen = open_transactions()
            assert not delivering.done()
        assert seen == 0
        assert standing(cancelling.key) == [("delivered", 1)]

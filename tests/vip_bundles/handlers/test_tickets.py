"""Printed and refunded tickets, as their messages arrive."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from bookings.events import TicketRefundedV1
from printing.events import TicketPrintedV1
from tests.factories import DeliveryFactory, MessageFactory, confirmed_booking, made_bundle, only_ticket
from tests.vip_bundles.stored import confirmed, hear, leaving_nothing, tell
from tests.working import deliver_all
from tickets_project.outbox.messages import Event
from tickets_project.outbox.models import Delivery
from vip_bundles.handlers.tickets import record_printed, record_refunded
from vip_bundles.models import BundleTicket, VipBundle

TICKET = UUID(int=1)
PRINTED, REFUNDED = "vip_bundles.record_printed", "vip_bundles.record_refunded"
HANDLERS = {"TicketPrinted_v1": PRINTED, "TicketRefunded_v1": REFUNDED}


def printed(booking_id: object) -> TicketPrintedV1:
    return TicketPrintedV1(ticket_id=str(TICKET), file_name="a.html", booking_id=str(booking_id))


def refunded(booking_id: object) -> TicketRefundedV1:
    return TicketRefundedV1(ticket_id=str(TICKET), booking_id=str(booking_id))


def deliver(message: Event) -> datetime:
    """Publish and deliver it; return when it was published."""
    [stored] = tell(message)
    deliver_all(PRINTED, REFUNDED)
    return stored.published_at


def assert_delivered() -> None:
    ours = Delivery.objects.filter(handler__in=HANDLERS.values())
    assert {(delivery.status, delivery.attempts) for delivery in ours} == {("delivered", 1)}


def ticket_of(bundle: VipBundle) -> BundleTicket:
    return BundleTicket.objects.get(bundle=bundle, ticket_id=TICKET)


@pytest.mark.django_db(transaction=True)
class TestRecordPrinted:
    @pytest.mark.parametrize("times", [1, 2])
    def test_shows_a_confirmed_ticket_as_printed_when_it_was_told_first(self, times: int) -> None:
        bundle = made_bundle()
        hear(confirmed(bundle, str(TICKET)))
        first, *_ = [deliver(printed(bundle.booking_id)) for _ in range(times)]
        ticket = ticket_of(bundle)
        assert (ticket.printed_at, ticket.file_name, ticket.refunded_at) == (first, "a.html", None)
        assert ticket.confirmed_at is not None
        assert_delivered()

    def test_does_not_wait_for_the_confirmation(self) -> None:
        bundle = made_bundle()
        at = deliver(printed(bundle.booking_id))
        assert (ticket_of(bundle).printed_at, ticket_of(bundle).confirmed_at) == (at, None)
        hear(confirmed(bundle, str(TICKET)))
        assert (ticket_of(bundle).printed_at, ticket_of(bundle).confirmed_at is None) == (at, False)
        assert_delivered()


@pytest.mark.django_db(transaction=True)
class TestRecordRefunded:
    @pytest.mark.parametrize("times", [1, 2])
    def test_shows_a_confirmed_ticket_as_refunded_when_it_was_told_first(self, times: int) -> None:
        bundle = made_bundle()
        hear(confirmed(bundle, str(TICKET)))
        first, *_ = [deliver(refunded(bundle.booking_id)) for _ in range(times)]
        assert (ticket_of(bundle).refunded_at, ticket_of(bundle).printed_at) == (first, None)
        assert_delivered()

    def test_does_not_wait_for_the_confirmation(self) -> None:
        bundle = made_bundle()
        at = deliver(refunded(bundle.booking_id))
        hear(confirmed(bundle, str(TICKET)))
        assert (ticket_of(bundle).refunded_at, ticket_of(bundle).confirmed_at is None) == (at, False)


@pytest.mark.django_db(transaction=True)
class TestTicketsOfNoBundle:
    @pytest.mark.parametrize("told", [printed, refunded])
    def test_are_ignored(self, told: Any) -> None:
        made_bundle()
        ordinary = only_ticket(confirmed_booking(seats=1))
        for booking_id in (ordinary.booking_id, uuid4(), ""):
            deliver(told(booking_id))
        assert not BundleTicket.objects.exists()
        assert_delivered()

    @pytest.mark.parametrize("told", [printed, refunded])
    def test_are_ignored_when_the_message_is_older_than_its_booking_id(self, told: Any) -> None:
        bundle = made_bundle()
        message = told(bundle.booking_id)
        payload = {name: value for name, value in message.payload().items() if name != "booking_id"}
        stored = MessageFactory.create(type=message.NAME, aggregateid=str(TICKET), payload=payload)
        DeliveryFactory.create(message=stored, handler=HANDLERS[message.NAME])
        deliver_all(PRINTED, REFUNDED)
        assert not BundleTicket.objects.exists()
        assert_delivered()

    def test_leave_nothing(self) -> None:
        with leaving_nothing():
            record_printed(printed(uuid4()))
            record_refunded(refunded(uuid4()))

"""A gateway that fails, hangs or hangs up in three calls of ten: each effect comes once, without a hand."""

from collections import Counter
from collections.abc import Callable
from typing import IO, Any

import pytest
import requests

from bookings.models import Ticket
from bookings.services import cancel_booking
from tests.crash.trial.effects import effects
from tests.crash.trial.messages import PaidV1
from tests.crash.trial.publishing import all_delivered, publish_at_once
from tests.factories import ShowFactory, confirmed_booking, made_bundle, staff_act
from tests.journeys.bundles import Gateway, StillGateway, all_done, assert_booked, assert_taken_back, the
from tests.processes import eventually, worker
from tickets_project.gateway import payments, spreadsheets
from tickets_project.gateway.simulator.server import Simulator
from vip_bundles.models import VipBundle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]

PAYMENTS = 200
BUNDLES = 4
FAILURES = 15
SHARE = 0.3
PATIENCE = 200
# Shorter than what hangs does.
TIMEOUTS = {"GATEWAY_CONNECT_TIMEOUT": "1", "GATEWAY_READ_TIMEOUT": "1"}

FAULTS: dict[str, dict[str, Any]] = {
    "fails": {"status": 503},
    "hangs": {"delay_ms": 1500},
    "hangs up": {"drop": "after"},
}
OPERATIONS = [
    "files.put",
    "receipts.issue",
    "receipts.void",
    "payments.refund",
    "spreadsheets.append",
    "spreadsheets.rows",
    "flights.book",
    "flights.cancel",
    "taxis.book",
]

Fault = Callable[..., None]


@pytest.fixture
def gateway(simulator: Simulator, http: requests.Session) -> Gateway:
    return Gateway(simulator, http)


@pytest.fixture
def still(simulator: Simulator, http: requests.Session) -> Gateway:
    return StillGateway(simulator, http)


def ids(tickets: Any) -> set[str]:
    return {str(ticket_id) for ticket_id in tickets.values_list("id", flat=True)}


class TestOneHandler:
    @pytest.mark.parametrize("what", FAULTS)
    def test_pays_once_though_the_service(
        self, trial: str, gateway: Gateway, fault: Fault, log: IO[str], what: str
    ) -> None:
        fault("payments.refund", count=None, share=SHARE, **FAULTS[what])
        publish_at_once(*(PaidV1(number=number) for number in range(PAYMENTS)))
        with worker(output=log, DJANGO_SETTINGS_MODULE=trial, **TIMEOUTS):
            eventually(all_delivered, seconds=PATIENCE)
        assert len(gateway.calls("payments.refund")) > 1.2 * PAYMENTS
        paid = Counter(refund.payment_reference for refund in payments.refunds())
        assert paid == {f"trial:{number}": 1 for number in range(PAYMENTS)}
        assert effects("trial.pay") == dict.fromkeys(range(PAYMENTS), 1)


def bundles(*, taxi: bool) -> list[VipBundle]:
    return [made_bundle(show=ShowFactory.create(), taxi=taxi) for _ in range(BUNDLES)]


def cancelled_tickets() -> set[str]:
    """Book seats and give them back, with money for each."""
    booking = confirmed_booking(seats=3)
    cancel_booking(booking_id=booking.id, act=staff_act())
    return ids(Ticket.objects.filter(booking=booking))


def assert_listed_once(sheet: str, tickets: set[str]) -> None:
    """The sheet has one row of each ticket; it takes no key, so whoever appends has to look first."""
    assert Counter(row[0] for row in spreadsheets.rows(sheet)) == dict.fromkeys(tickets, 1)


def failures(gateway: Gateway) -> int:
    """Return how many calls failed, or had their connection dropped."""
    calls = [call for operation in OPERATIONS for call in gateway.calls(operation)]
    return sum(call["status"] in {None, 503} for call in calls)


class TestProject:
    def test_comes_through_all_of_it_at_once(
        self, gateway: Gateway, still: Gateway, fault: Fault, log: IO[str]
    ) -> None:
        gateway.set_taxis(0)
        for operation in OPERATIONS:
            for what in FAULTS.values():
                fault(operation, count=None, share=SHARE / len(FAULTS), **what)
        booked, taken_back, cancelled = bundles(taxi=False), bundles(taxi=True), cancelled_tickets()
        with worker(output=log, **TIMEOUTS):
            eventually(lambda: failures(gateway) > 2 * FAILURES or all_done(), seconds=PATIENCE)
            # Who was hit again and again would otherwise wait for minutes.
            gateway.behave()
            eventually(all_done, seconds=PATIENCE)
        assert failures(gateway) > FAILURES
        for bundle in booked:
            assert_booked(the(bundle.id), still)
        for bundle in taken_back:
            assert_taken_back(the(bundle.id), still)
        refunded = cancelled | ids(Ticket.objects.filter(booking_id__in=[bundle.booking_id for bundle in taken_back]))
        assert still.refunds() == dict.fromkeys(refunded, 1)
        assert_listed_once("tickets-to-refund", refunded)
        assert_listed_once("tickets-to-print", ids(Ticket.objects.all()))

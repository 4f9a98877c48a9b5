"""VIP bundles whose worker is killed at every step: each ends, and each thing is booked and taken back once."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import IO

import pytest

from bookings.models import Receipt
from tests.crash.killing import Kill, MortalWorker, mortal_worker
from tests.crash.windows import AtService, InDatabase, Window, windows_in_database
from tests.factories import ShowFactory, made_bundle
from tests.journeys.bundles import (
    Gateway,
    all_done,
    assert_booked,
    assert_one_booking_per_leg,
    assert_taken_back,
    commands_of,
    seats_held,
)
from tests.processes import eventually
from vip_bundles.models import VipBundle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash, pytest.mark.timeout(300)]

PATIENCE = 90
"""Seconds: a machine may have much else to do."""

FULL = "VIP_BUNDLE_KILLS" in os.environ
"""Whether each kill is tried by itself too; it takes half an hour."""


@pytest.fixture(autouse=True)
def _windows() -> Iterator[None]:
    with windows_in_database():
        yield


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IO[str]]:
    with (tmp_path / "worker.log").open("w") as log:
        yield log


def bundle_failing_at(step: str, gateway: Gateway) -> VipBundle:
    """Make a bundle for three; nothing is to be had at the step."""
    bundle = made_bundle(show=ShowFactory.create(number_of_tickets=2 if step == "show" else 10))
    match step:
        case "inbound":
            gateway.set_seats(str(bundle.inbound_flight_id), 2)
        case "return":
            gateway.set_seats(str(bundle.return_flight_id), 2)
        case "taxi":
            gateway.set_taxis(0)
    return bundle


def all_receipts_issued() -> bool:
    return Receipt.objects.exclude(number="").count() == 3


def kill_at_each(windows: Sequence[Window], worker: MortalWorker, what: Kill, gateway: Gateway) -> None:
    """Kill it at each of these moments, which come in this order; the first is open."""
    for window, following in zip_longest(windows, windows[1:]):
        eventually(partial(window.is_reached, gateway), seconds=PATIENCE)
        if window in UNTIL_RECEIPTS:
            eventually(all_receipts_issued, seconds=PATIENCE)
        if following:
            following.open(gateway)
        worker.kill(what, handler=window.handler)
        window.close()


def assert_ended_rightly(bundle: VipBundle, fails_at: str, gateway: Gateway) -> None:
    """It has its end; each command was sent once, each leg booked once, and after a failure nothing is left."""
    bundle.refresh_from_db()
    sent, legs = SENT[fails_at]
    assert commands_of(bundle) == sent
    if fails_at:
        assert_taken_back(bundle, gateway)
        assert seats_held(bundle) == 0
        assert_one_booking_per_leg(bundle, gateway, *legs)
    else:
        assert_booked(bundle, gateway)


def mark(handler: str, leg: str = "") -> InDatabase:
    return InDatabase("mark", handler, leg)


def commit(handler: str, leg: str = "") -> InDatabase:
    return InDatabase("commit", handler, leg)


def before(operation: str, leg: str = "") -> AtService:
    return AtService("before", operation, leg)


def after(operation: str, leg: str = "") -> AtService:
    return AtService("after", operation, leg)


# What is sent when nothing fails, or that step does, and the legs that are booked then.
SENT = {
    "": (Counter(BookShowTickets=1, BookFlight=2, BookTaxi=1), ["inbound", "return"]),
    "show": (Counter(BookShowTickets=1), []),
    "inbound": (Counter(BookShowTickets=1, BookFlight=1, RefundTicket=3), []),
    "return": (Counter(BookShowTickets=1, BookFlight=2, RefundTicket=3, CancelFlightTickets=1), ["inbound"]),
    "taxi": (
        Counter(BookShowTickets=1, BookFlight=2, BookTaxi=1, RefundTicket=3, CancelFlightTickets=2),
        ["inbound", "return"],
    ),
}
# So that there are receipts to be voided.
UNTIL_RECEIPTS = [mark("vip_bundles.on_taxi_failed")]

CHAINS = {
    "booking": (
        "",
        [
            mark("vip_bundles.on_initialized"),
            commit("vip_bundles.on_initialized"),
            mark("bookings.book_show_tickets"),
            commit("bookings.book_show_tickets"),
            mark("vip_bundles.on_booking_made"),
            before("flights.book", "inbound"),
            after("flights.book", "inbound"),
            mark("vip_bundles.book_flight", "inbound"),
            commit("vip_bundles.on_flight_booked", "inbound"),
            after("flights.book", "return"),
            commit("vip_bundles.book_flight", "return"),
            mark("vip_bundles.on_flight_booked", "return"),
            before("taxis.book"),
            after("taxis.book"),
            mark("vip_bundles.book_taxi"),
            mark("vip_bundles.on_taxi_booked"),
            commit("vip_bundles.on_taxi_booked"),
            mark("vip_bundles.tell_customer"),
        ],
    ),
    "refunding": (
        "taxi",
        [
            mark("vip_bundles.on_taxi_failed"),
            before("receipts.void"),
            after("receipts.void"),
            before("payments.refund"),
            after("payments.refund"),
            mark("bookings.refund_ticket"),
            commit("bookings.refund_ticket"),
        ],
    ),
    "cancelling": (
        "taxi",
        [
            mark("vip_bundles.on_ticket_confirmed"),
            commit("vip_bundles.on_taxi_failed"),
            before("flights.cancel"),
            after("flights.cancel"),
            mark("vip_bundles.cancel_flight"),
            commit("vip_bundles.cancel_flight"),
        ],
    ),
}


class TestKillAtEveryStep:
    @pytest.mark.parametrize(("fails_at", "windows"), CHAINS.values(), ids=CHAINS)
    def test_ends_rightly(self, gateway: Gateway, log: IO[str], fails_at: str, windows: list[Window]) -> None:
        bundle = bundle_failing_at(fails_at, gateway)
        windows[0].open(gateway)
        with mortal_worker(log) as worker:
            kill_at_each(windows, worker, Kill.DISPATCHER, gateway)
            eventually(all_done, seconds=PATIENCE)
        assert_ended_rightly(bundle, fails_at, gateway)


def each(step: str, *handlers: str) -> list[tuple[str, Window]]:
    return [(step, of(*handler.split())) for of in (mark, commit) for handler in handlers]


def each_call(step: str, *operations: str) -> list[tuple[str, Window]]:
    return [(step, of(*operation.split())) for of in (before, after) for operation in operations]


EVERY = [
    *each("", "vip_bundles.on_initialized", "bookings.book_show_tickets", "vip_bundles.on_booking_made"),
    *each("", "vip_bundles.on_ticket_confirmed", "bookings.issue_receipt", "printing.print_ticket"),
    *each("", "vip_bundles.book_flight inbound", "vip_bundles.book_flight return", "vip_bundles.book_taxi"),
    *each("", "vip_bundles.on_flight_booked inbound", "vip_bundles.on_flight_booked return"),
    *each("", "vip_bundles.on_taxi_booked", "vip_bundles.tell_customer"),
    *each_call("", "flights.book inbound", "flights.book return", "taxis.book", "receipts.issue"),
    *each("show", "vip_bundles.on_booking_failed", "vip_bundles.tell_customer"),
    *each("inbound", "vip_bundles.book_flight inbound", "vip_bundles.on_flight_failed inbound"),
    *each_call("inbound", "receipts.issue"),
    *each("return", "vip_bundles.book_flight return", "vip_bundles.on_flight_failed return"),
    *each("taxi", "vip_bundles.book_taxi", "vip_bundles.on_taxi_failed", "bookings.refund_ticket"),
    *each("taxi", "vip_bundles.cancel_flight", "vip_bundles.record_refunded", "vip_bundles.tell_customer"),
    *each_call("taxi", "taxis.book", "receipts.void", "payments.refund", "flights.cancel"),
]
SOME = [
    (Kill.CLUSTER, "", after("flights.book", "return")),
    (Kill.CLUSTER, "taxi", after("payments.refund")),
    (Kill.ALL, "", after("taxis.book")),
    (Kill.ALL, "taxi", mark("bookings.refund_ticket")),
]
CASES = [(what, *case) for what in Kill for case in EVERY] if FULL else SOME


class TestKillOnce:
    @pytest.mark.parametrize(("what", "fails_at", "window"), CASES, ids=lambda each: str(each) or "success")
    def test_ends_rightly(self, gateway: Gateway, log: IO[str], what: Kill, fails_at: str, window: Window) -> None:
        bundle = bundle_failing_at(fails_at, gateway)
        first = UNTIL_RECEIPTS[0] if window.handler == "bookings.refund_ticket" else window
        first.open(gateway)
        with mortal_worker(log) as worker:
            if first is not window:
                eventually(lambda: first.is_reached(gateway) and all_receipts_issued(), seconds=PATIENCE)
                window.open(gateway)
                first.close()
            kill_at_each([window], worker, what, gateway)
            eventually(all_done, seconds=PATIENCE)
        assert_ended_rightly(bundle, fails_at, gateway)

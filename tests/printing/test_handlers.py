"""Printing against the simulated files service."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import sleep
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from pytest_django import Settings
from structlog.testing import capture_logs

from bookings.events import TicketBookingConfirmedV1
from bookings.models import Ticket
from printing import handlers
from printing.models import PrintedTicket
from printing.services import record_printed
from tests.bookings.published import names, payload
from tests.factories import NOON
from tests.working import deliver_all, deliver_due
from tickets_project.gateway import files
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.outcomes import NotYet
from tickets_project.ticket_documents import find_ticket_document

print_ticket = partial(handlers.print_ticket, find=find_ticket_document)

Calls = Callable[..., list[dict[str, Any]]]
PRINTING = ("printing.print_ticket", "bookings.record_printed")


def delivery() -> Delivery:
    return Delivery.objects.get(handler=PRINTING[0])


def record(message: TicketBookingConfirmedV1) -> None:
    recording = print_ticket(message)
    assert recording is not None
    recording()


def deliver_elsewhere() -> None:
    try:
        deliver_due(PRINTING[0])
    finally:
        connection.close()


def assert_nothing_recorded() -> None:
    assert not PrintedTicket.objects.exists()
    assert "TicketPrinted_v1" not in names()


@pytest.mark.django_db
class TestPrintTicket:
    @pytest.mark.usefixtures("simulator")
    def test_stores_the_document_as_html(self, ticket: Ticket, confirmed: TicketBookingConfirmedV1) -> None:
        record(confirmed)
        stored = files.fetch(f"{ticket.id}-ticket.html") or ""
        assert stored.startswith("<!DOCTYPE html>")
        assert str(ticket.id) in stored
        assert " ".join(ticket.redemption_code[n : n + 4] for n in (0, 4, 8, 12)) in stored

    @pytest.mark.usefixtures("simulator")
    def test_stores_before_anything_is_recorded(self, confirmed: TicketBookingConfirmedV1) -> None:
        assert print_ticket(confirmed) is not None
        assert len(files.listing()) == 1
        assert_nothing_recorded()

    @pytest.mark.usefixtures("simulator")
    def test_announces_it(self, ticket: Ticket, confirmed: TicketBookingConfirmedV1) -> None:
        record(confirmed)
        assert payload("TicketPrinted_v1") == {
            "ticket_id": str(ticket.id),
            "file_name": f"{ticket.id}-ticket.html",
            "booking_id": str(ticket.booking_id),
        }
        assert PrintedTicket.objects.get().file_name == f"{ticket.id}-ticket.html"

    @pytest.mark.usefixtures("simulator")
    def test_takes_a_document_that_is_there_for_stored(
        self, ticket: Ticket, confirmed: TicketBookingConfirmedV1
    ) -> None:
        files.store(f"{ticket.id}-ticket.html", "the first one")
        with capture_logs() as lines:
            record(confirmed)
        assert {"event": "file_already_stored", "file_id": f"{ticket.id}-ticket.html", "log_level": "info"} in lines
        assert files.fetch(f"{ticket.id}-ticket.html") == "the first one"
        assert payload("TicketPrinted_v1")["ticket_id"] == str(ticket.id)

    def test_calls_nobody_for_a_printed_ticket(self, confirmed: TicketBookingConfirmedV1, calls: Calls) -> None:
        record(confirmed)
        assert print_ticket(confirmed) is None
        assert len(calls("files.put")) == 1

    def test_waits_for_an_unknown_ticket(self, confirmed: TicketBookingConfirmedV1, calls: Calls) -> None:
        unknown = TicketBookingConfirmedV1(
            ticket_id=str(uuid4()), customer_email="", price=confirmed.price, booking_id=confirmed.booking_id
        )
        with pytest.raises(NotYet, match=unknown.ticket_id):
            print_ticket(unknown)
        assert calls("files.put") == []

    @pytest.mark.parametrize(
        ("status", "error"),
        [(500, TemporaryUpstreamError), (429, TemporaryUpstreamError), (403, PermanentUpstreamError)],
    )
    def test_records_nothing_when_the_service_refuses(
        self,
        confirmed: TicketBookingConfirmedV1,
        fault: Callable[..., None],
        status: int,
        error: type[Exception],
    ) -> None:
        fault("files.put", status=status)
        with pytest.raises(error):
            print_ticket(confirmed)
        assert_nothing_recorded()

    def test_records_nothing_when_the_service_is_away(
        self, confirmed: TicketBookingConfirmedV1, settings: Settings
    ) -> None:
        settings.GATEWAY_URL = "http://127.0.0.1:1"
        with pytest.raises(TemporaryUpstreamError):
            print_ticket(confirmed)
        assert_nothing_recorded()

    def test_stores_once_when_the_answer_was_lost(
        self, confirmed: TicketBookingConfirmedV1, fault: Callable[..., None]
    ) -> None:
        fault("files.put", drop="after")
        with pytest.raises(TemporaryUpstreamError):
            print_ticket(confirmed)
        record(confirmed)
        assert len(files.listing()) == 1
        assert payload("TicketPrinted_v1")


@pytest.mark.django_db(transaction=True)
class TestPrintTicketDelivered:
    @pytest.mark.usefixtures("simulator")
    def test_prints_a_confirmed_ticket_and_shows_it(self, ticket: Ticket) -> None:
        deliver_all(*PRINTING)
        ticket.refresh_from_db()
        assert ticket.file_name == f"{ticket.id}-ticket.html"
        assert ticket.printed_at is not None
        assert files.listing() == [ticket.file_name]
        assert names()[-1] == "TicketPrinted_v1"

    @pytest.mark.usefixtures("ticket")
    def test_is_tried_again_after_a_hiccup_and_parked_after_a_refusal(self, fault: Callable[..., None]) -> None:
        fault("files.put", status=500)
        deliver_due(PRINTING[0])
        assert delivery().status == Status.PENDING
        fault("files.put", status=403)
        Delivery.objects.update(available_at="2026-01-01T00:00:00Z")
        deliver_due(PRINTING[0])
        assert delivery().status == Status.PARKED
        assert_nothing_recorded()

    def test_is_announced_once_when_another_worker_was_faster(
        self, ticket: Ticket, fault: Callable[..., None], calls: Calls
    ) -> None:
        fault("files.put", delay_ms=300)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(deliver_elsewhere)
            while not calls("files.put"):
                sleep(0.01)
            record_printed(ticket_id=ticket.id, booking_id=str(ticket.booking_id), file_name="faster.html", at=NOON)
            slow.result()
        Delivery.objects.filter(status=Status.PENDING).update(available_at="2026-01-01T00:00:00Z")
        deliver_all(*PRINTING)
        assert {delivery.status for delivery in Delivery.objects.filter(handler__in=PRINTING)} == {Status.DELIVERED}
        assert payload("TicketPrinted_v1")["file_name"] == "faster.html"

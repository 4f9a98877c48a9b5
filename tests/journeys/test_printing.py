"""From the HTTP request to the printed ticket: real site, real worker, real gateway, and what can go wrong between."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone
from pytest_django import Settings

from bookings.models import Ticket
from printing.models import PrintedTicket
from tests.journeys.conftest import Site
from tests.processes import eventually, worker
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Dispatcher, Message
from tickets_project.outbox.repairing import retry_delivery

pytestmark = pytest.mark.django_db(transaction=True)

Calls = Callable[..., list[dict[str, Any]]]
Fault = Callable[..., None]


def confirmed_tickets(customer: Site, show_id: str, *, seats: int = 1) -> list[str]:
    """Book and pay; return the ids of the tickets."""
    booking = customer.post("/bookings/", show_id=show_id, number_of_tickets=seats)
    path = f"/bookings/{booking['booking_id']}/confirm/"
    answer = customer.post(path, expected=200, payment_id=f"pay-{booking['booking_id']}")
    return [ticket["ticket_id"] for ticket in answer["data"]["tickets"]]


def all_printed() -> bool:
    return not Ticket.objects.filter(printed_at=None).exists()


def assert_printed_once(ticket_id: str, simulator: Simulator) -> None:
    """One file, one record, one message, and the ticket shown as printed."""
    file_name = f"{ticket_id}-ticket.html"
    files = requests.get(f"{simulator.url}/files-api/files", timeout=5).json()["files"]
    assert files.count(file_name) == 1
    assert PrintedTicket.objects.get(ticket_id=ticket_id).file_name == file_name
    message = Message.objects.get(type="TicketPrinted_v1", aggregateid=ticket_id)
    ticket = Ticket.objects.get(id=ticket_id)
    assert message.payload == {"ticket_id": ticket_id, "file_name": file_name, "booking_id": str(ticket.booking_id)}
    assert ticket.file_name == file_name


@contextmanager
def print_delivery_failing() -> Iterator[None]:
    """Wait until the first attempt has failed and is shown with its reason."""
    failed = Delivery.objects.filter(handler="printing.print_ticket", status="pending").exclude(last_error="")
    eventually(failed.exists)
    yield


class TestPrintingJourney:
    def test_prints_each_ticket_of_a_confirmed_booking(
        self, customer: Site, show_id: str, simulator: Simulator, calls: Calls
    ) -> None:
        with worker():
            tickets = confirmed_tickets(customer, show_id, seats=3)
            eventually(all_printed)
        for ticket in tickets:
            assert_printed_once(ticket, simulator)
            shown = customer.get(f"/tickets/{ticket}/")
            assert shown["file_name"] == f"{ticket}-ticket.html"
            assert shown["printed_at"].endswith("Z")
        assert len(calls("files.put")) == 3

    def test_sends_the_correlation_id_of_the_request_to_the_gateway(
        self, customer: Site, show_id: str, calls: Calls
    ) -> None:
        booking = customer.post("/bookings/", show_id=show_id, number_of_tickets=1)
        path = f"/bookings/{booking['booking_id']}/confirm/"
        customer.post(path, expected=200, headers={"Correlation-ID": "from-the-desk"}, payment_id="p")
        with worker():
            eventually(all_printed)
        assert [call["correlation_id"] for call in calls("files.put")] == ["from-the-desk"]
        printed = Message.objects.get(type="TicketPrinted_v1")
        assert printed.headers["correlation_id"] == "from-the-desk"

    def test_takes_a_file_that_is_there_for_success(
        self, customer: Site, show_id: str, simulator: Simulator, http: requests.Session
    ) -> None:
        [ticket] = confirmed_tickets(customer, show_id)
        stored = f"{simulator.url}/files-api/files/{ticket}-ticket.html/content"
        assert http.put(stored, data="printed before").status_code == 201
        with worker():
            eventually(all_printed)
        assert_printed_once(ticket, simulator)
        assert http.get(stored).text == "printed before"

    def test_prints_after_three_errors_of_the_service(
        self, customer: Site, show_id: str, simulator: Simulator, fault: Fault, calls: Calls
    ) -> None:
        fault("files.put", count=3, status=500)
        [ticket] = confirmed_tickets(customer, show_id)
        with worker(), print_delivery_failing():
            eventually(all_printed, seconds=20)
        assert_printed_once(ticket, simulator)
        assert [call["status"] for call in calls("files.put")] == [500, 500, 500, 201]

    def test_prints_once_when_the_connection_drops_after_the_effect(
        self, customer: Site, show_id: str, simulator: Simulator, fault: Fault, calls: Calls
    ) -> None:
        fault("files.put", drop="after")
        [ticket] = confirmed_tickets(customer, show_id)
        with worker():
            eventually(all_printed)
        assert_printed_once(ticket, simulator)
        assert [call["status"] for call in calls("files.put")] == [None, 409]

    def test_prints_once_when_the_service_answers_too_late(
        self, customer: Site, show_id: str, simulator: Simulator, fault: Fault, calls: Calls
    ) -> None:
        # The simulator stores first; our patience is over before its answer comes.
        fault("files.put", delay_ms=2500)
        [ticket] = confirmed_tickets(customer, show_id)
        with worker(GATEWAY_READ_TIMEOUT="1"), print_delivery_failing():
            eventually(all_printed, seconds=15)
        assert_printed_once(ticket, simulator)
        assert calls("files.put")[-1]["status"] == 409

    def test_prints_once_the_gateway_is_back(
        self, customer: Site, show_id: str, settings: Settings, tmp_path: Path
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        settings.GATEWAY_URL = f"http://127.0.0.1:{port}"
        [ticket] = confirmed_tickets(customer, show_id)
        with worker(), print_delivery_failing():
            assert "Connection refused" in Delivery.objects.get(handler="printing.print_ticket").last_error
            with Simulator(files=tmp_path / "later", port=port) as back:
                eventually(all_printed, seconds=20)
                assert_printed_once(ticket, back)

    def test_prints_once_when_the_worker_is_killed_between_storing_and_recording(
        self, customer: Site, show_id: str, simulator: Simulator, fault: Fault, calls: Calls
    ) -> None:
        # The simulator stores first and answers late, so the kill hits between the two.
        fault("files.put", delay_ms=4000)
        [ticket] = confirmed_tickets(customer, show_id)
        with worker():
            eventually(lambda: calls("files.put"))
            for dispatcher in Dispatcher.objects.all():
                os.kill(dispatcher.pid, signal.SIGKILL)
            eventually(all_printed, seconds=20)
        assert_printed_once(ticket, simulator)
        assert Delivery.objects.get(handler="printing.print_ticket").attempts == 2

    def test_parks_what_the_service_refuses_and_prints_it_when_retried(
        self, customer: Site, show_id: str, simulator: Simulator, fault: Fault, calls: Calls
    ) -> None:
        fault("files.put", status=403)
        [ticket] = confirmed_tickets(customer, show_id)
        with worker():
            parked = Delivery.objects.filter(status="parked")
            eventually(parked.exists)
            assert "403" in parked.get().last_error
            assert len(calls("files.put")) == 1
            retry_delivery(parked.get().pk, by="ann", at=timezone.now())
            eventually(all_printed)
        assert_printed_once(ticket, simulator)

"""What a worker writes during a journey: every line is JSON, and names the request, the message and the handler."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from tests.journeys.conftest import Site
from tests.processes import eventually, worker
from tickets_project.outbox.models import Delivery, Message

pytestmark = pytest.mark.django_db(transaction=True)

DELIVERING = "tickets_project.outbox.delivering"
# Written by the supervisor and its cluster, about no delivery.
ABOUT_THE_WORKER = {
    "tickets_project.outbox.management.commands.run_worker",
    "tickets_project.outbox.worker.supervising",
    "tickets_project.outbox.worker.presence",
}


def ids_in(line: dict[str, Any], name: str) -> set[str]:
    """Return the one id, or the ids of a batch."""
    return {line[name]} if name in line else set(line[f"{name}s"])


def all_delivered() -> bool:
    return not Delivery.objects.exclude(status="delivered").exists()


class TestLogLines:
    def test_are_json_and_name_what_is_delivered(
        self,
        customer: Site,
        show_id: str,
        http: requests.Session,
        fault: Callable[..., None],
        tmp_path: Path,
    ) -> None:
        booking = customer.post("/bookings/", show_id=show_id, number_of_tickets=3)
        path = f"/bookings/{booking['booking_id']}/confirm/"
        asked = {"Correlation-ID": "from-the-desk"}
        answer = customer.post(path, expected=200, headers=asked, payment_id="p")
        ticket = answer["data"]["tickets"][0]["ticket_id"]
        # One file is there already, which the gateway's client remarks; one call fails, which delivering remarks.
        stored = f"{settings.GATEWAY_URL}/files-api/files/{ticket}-ticket.html/content"
        assert http.put(stored, data="printed before").status_code == 201
        fault("receipts.issue", status=500)
        with (tmp_path / "output").open("w") as output, worker(output=output, LOG_FORMAT="json"):
            eventually(all_delivered, seconds=30)
        written = [json.loads(line) for line in (tmp_path / "output").read_text().splitlines()]
        handling = [line for line in written if line["logger"] not in ABOUT_THE_WORKER]
        assert {line["event"] for line in handling} >= {"delivered", "delivered together", "failed"}
        assert {line["logger"] for line in handling} >= {DELIVERING, "tickets_project.gateway.files"}
        for line in handling:
            assert line["handler"]
            assert ids_in(line, "message_id")
            assert ids_in(line, "correlation_id")
        told = {
            (line["handler"], message_id, correlation_id)
            for line in handling
            if line["event"].startswith("delivered")
            for message_id in ids_in(line, "message_id")
            for correlation_id in ids_in(line, "correlation_id")
        }
        followed = Message.objects.filter(headers__correlation_id="from-the-desk")
        for delivery in Delivery.objects.filter(message__in=followed):
            assert (delivery.handler, str(delivery.message_id), "from-the-desk") in told

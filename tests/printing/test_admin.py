"""Printed documents in the admin."""

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from printing.models import PrintedTicket

PRINTED = "/admin/printing/printedticket/"


@pytest.mark.django_db
class TestPrintedTicketAdmin:
    def test_finds_by_the_ticket(self, admin_client: Client) -> None:
        printed, _ = (
            PrintedTicket.objects.create(ticket_id=uuid4(), file_name="a.html", printed_at=timezone.now())
            for _ in range(2)
        )
        assert list(admin_client.get(f"{PRINTED}?q={printed.pk}").context["cl"].result_list) == [printed]
        assert list(admin_client.get(f"{PRINTED}?q=a.html").context["cl"].result_list) == []

    def test_takes_no_change(self, admin_client: Client) -> None:
        printed = PrintedTicket.objects.create(ticket_id=uuid4(), file_name="a.html", printed_at=timezone.now())
        for address in (f"{PRINTED}add/", f"{PRINTED}{printed.pk}/change/", f"{PRINTED}{printed.pk}/delete/"):
            assert admin_client.post(address, {"file_name": "b.html", "post": "yes"}).status_code == 403
        assert PrintedTicket.objects.get().file_name == "a.html"

"""A ticket whose booking nobody here knows is printed with what is known of it."""

from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings.models import Ticket
from bookings.services.vendor import VendorTicket, record_vendor_tickets
from printing.documents import TicketDocument, render
from tests.printing.test_documents import Page, document
from tests.tickets_project.test_qr_codes import decoded
from tests.working import deliver_all
from tickets_project.audit.acts import Act
from tickets_project.gateway import files
from tickets_project.ticket_documents import find_ticket_document
from tickets_project.values import Money

TICKET, BOOKING = UUID(int=1), UUID(int=2)
UNKNOWN = {"venue": "", "starts_at": None, "confirmation_code": ""}


@pytest.fixture
def ticket(db: None) -> Ticket:  # noqa: ARG001 - opens the database
    told = VendorTicket(
        ticket_id=TICKET,
        booking_id=BOOKING,
        is_confirmed=True,
        customer_email="ada@vendor.example",
        price=Money(amount=Decimal("12.50"), currency="EUR"),
    )
    record_vendor_tickets(told=[told], act=Act(at=timezone.now(), automatic="vendor"))
    return Ticket.objects.get()


def found(ticket: Ticket) -> TicketDocument:
    document = find_ticket_document(ticket.id)
    assert document is not None
    return document


class TestFindTicketDocument:
    def test_names_the_vendor_s_booking(
        self, ticket: Ticket, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            document = found(ticket)
        assert document.title == f"Vendor booking {BOOKING}"
        assert {name: getattr(document, name) for name in UNKNOWN} == UNKNOWN
        assert (document.holder, str(document.price)) == ("ada@vendor.example", "12.50 EUR")
        assert document.code == ticket.redemption_code


class TestRender:
    def test_leaves_out_what_nobody_knows(self) -> None:
        texts = [text.strip() for text in Page(render(document(**UNKNOWN))).texts]
        assert not {"Starts", "Booking", "None"} & set(texts)
        assert {"Carmen", "Holder", "ada@customers.example", "ABCD EFGH 2345 6789"} <= set(texts)
        assert decoded(render(document(**UNKNOWN))) == "ABCDEFGH23456789"

    def test_has_no_empty_lines_on_the_paper(self) -> None:
        elements = Page(render(document(**UNKNOWN))).elements
        everything = Page(render(document())).elements
        assert [everything.count(tag) - elements.count(tag) for tag in ("p", "dt", "dd")] == [1, 2, 2]


@pytest.mark.django_db(transaction=True)
class TestPrintTicket:
    @pytest.mark.usefixtures("simulator")
    def test_prints_it(self, ticket: Ticket) -> None:
        deliver_all()
        ticket.refresh_from_db()
        assert ticket.file_name == f"{TICKET}-ticket.html"
        assert f"Vendor booking {BOOKING}" in (files.fetch(ticket.file_name) or "")

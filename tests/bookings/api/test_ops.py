"""The ops read model over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from bookings.models import OpsBooking
from tests.bookings.told import ADA, BOOKING, FIRST, SECOND, SHOW, confirmed, made, printed, receipt, refunded, tell
from tests.factories import StaffFactory
from tests.tickets_project.api.clients import with_token

pytestmark = pytest.mark.django_db

OPS = "/api/v1/ops/bookings/"
NOTHING_ELSE = {
    "printed_at": None,
    "file_name": None,
    "receipt_number": None,
    "receipt_issued_at": None,
    "refunded_at": None,
}


def ids(response: Any) -> list[str]:
    return [booking["booking_id"] for booking in response.json()["results"]]


def with_receipt(issued_at: datetime) -> str:
    """Make a booking with a ticket whose receipt was issued then; return the booking's id."""
    booking, ticket = uuid4(), uuid4()
    tell(
        made(booking=booking),
        confirmed(ticket=ticket, booking_id=str(booking)),
        receipt(ticket=ticket, issued_at=issued_at),
    )
    return str(booking)


def queries_for(client: APIClient, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


class TestOpsBookingView:
    def test_shows_all_that_is_known(self, staff: APIClient) -> None:
        tell(made(), confirmed(11, ticket=SECOND), confirmed(), printed(), receipt(), refunded())
        assert staff.get(f"{OPS}{BOOKING}/").json() == {
            "booking_id": str(BOOKING),
            "show_id": str(SHOW),
            "number_of_tickets": 2,
            "customer_email": ADA,
            "booked_at": "2026-05-02T12:00:00Z",
            "tickets": [
                {
                    "ticket_id": str(FIRST),
                    "customer_email": ADA,
                    "price": {"amount": "50.30", "currency": "EUR"},
                    "confirmed_at": "2026-05-02T12:01:00Z",
                    "printed_at": "2026-05-02T12:02:00Z",
                    "file_name": "a.html",
                    "receipt_number": "R-1",
                    "receipt_issued_at": "2026-05-02T10:23:00Z",
                    "refunded_at": "2026-05-02T12:04:00Z",
                },
                {
                    "ticket_id": str(SECOND),
                    "customer_email": ADA,
                    "price": {"amount": "50.30", "currency": "EUR"},
                    "confirmed_at": "2026-05-02T12:11:00Z",
                    **NOTHING_ELSE,
                },
            ],
        }

    def test_shows_a_booking_without_tickets(self, staff: APIClient) -> None:
        tell(made(), confirmed(booking_id=""), confirmed(ticket=SECOND, booking_id=str(uuid4())))
        assert staff.get(f"{OPS}{BOOKING}/").json()["tickets"] == []

    def test_knows_no_booking_that_was_not_made(self, staff: APIClient) -> None:
        tell(confirmed())
        OpsBooking.objects.create(booking_id=UUID(int=50))
        for booking_id in (BOOKING, UUID(int=50), uuid4()):
            response = staff.get(f"{OPS}{booking_id}/")
            assert (response.status_code, response.json()["code"]) == (404, "not_found")


class TestOpsBookingsView:
    def test_lists_the_newest_first_with_the_tickets_of_each(self, staff: APIClient) -> None:
        old, new = uuid4(), uuid4()
        tell(made(0, booking=old), made(1, booking=new))
        tell(confirmed(booking_id=str(old)), confirmed(ticket=SECOND, booking_id=str(new)))
        response = staff.get(OPS)
        assert ids(response) == [str(new), str(old)]
        tickets = [[ticket["ticket_id"] for ticket in booking["tickets"]] for booking in response.json()["results"]]
        assert tickets == [[str(SECOND)], [str(FIRST)]]
        assert response.json()["results"][1] == staff.get(f"{OPS}{old}/").json()

    def test_is_empty_when_nothing_was_booked(self, staff: APIClient) -> None:
        tell(confirmed())
        assert staff.get(OPS).json() == {"results": [], "next": None, "previous": None}

    def test_pages_through_bookings_of_the_same_moment(self, staff: APIClient) -> None:
        made_at_once = sorted([uuid4() for _ in range(5)], reverse=True)
        tell(*(made(booking=booking) for booking in made_at_once))
        seen, address = list[str](), f"{OPS}?page_size=2"
        while address:
            response = staff.get(address)
            seen += ids(response)
            address = response.json()["next"]
        assert seen == [str(booking) for booking in made_at_once]
        back = staff.get(response.json()["previous"])
        assert ids(back) == seen[2:4]

    def test_asks_as_often_for_many_as_for_one(self, staff: APIClient) -> None:
        tell(made(), confirmed())
        few, one = queries_for(staff, OPS), queries_for(staff, f"{OPS}{BOOKING}/")
        for _ in range(49):
            booking = uuid4()
            tell(made(booking=booking), *(confirmed(ticket=uuid4(), booking_id=str(booking)) for _ in range(3)))
        address = f"{OPS}?page_size=100"
        assert len(ids(staff.get(address))) == 50
        assert queries_for(staff, address) == few == one


class TestReceiptIssueDate:
    def test_takes_both_ends_of_the_day_and_nothing_beyond(self, staff: APIClient) -> None:
        for at in (
            datetime(2026, 5, 1, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(2026, 5, 3, tzinfo=UTC),
        ):
            with_receipt(at)
        first = with_receipt(datetime(2026, 5, 2, tzinfo=UTC))
        last = with_receipt(datetime(2026, 5, 2, 23, 59, 59, 999999, tzinfo=UTC))
        tell(made(), confirmed())
        assert set(ids(staff.get(f"{OPS}?receipt_issue_date=2026-05-02"))) == {first, last}

    def test_takes_the_day_where_the_shows_are(self, staff: APIClient, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = "Europe/Madrid"
        with_receipt(datetime(2026, 5, 1, 21, 59, 59, tzinfo=UTC))
        midnight = with_receipt(datetime(2026, 5, 1, 22, 0, tzinfo=UTC))
        with_receipt(datetime(2026, 5, 2, 22, 0, tzinfo=UTC))
        assert ids(staff.get(f"{OPS}?receipt_issue_date=2026-05-02")) == [midnight]

    @pytest.mark.parametrize(
        ("begins", "ends"),
        [
            (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
            (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ],
    )
    def test_takes_the_whole_day_when_clocks_change(
        self, staff: APIClient, settings: Settings, begins: datetime, ends: datetime
    ) -> None:
        settings.TICKETS_TIME_ZONE = "Europe/Madrid"
        second = timedelta(seconds=1)
        _, first, last, _ = (with_receipt(at) for at in (begins - second, begins, ends - second, ends))
        assert set(ids(staff.get(f"{OPS}?receipt_issue_date={ends:%Y-%m-%d}"))) == {first, last}

    def test_names_a_booking_once_with_all_its_tickets(self, staff: APIClient) -> None:
        tell(made(), confirmed(), confirmed(ticket=SECOND), receipt(), receipt(ticket=SECOND, number="R-2"))
        third = uuid4()
        tell(confirmed(ticket=third))
        [booking] = staff.get(f"{OPS}?receipt_issue_date=2026-05-02").json()["results"]
        assert len(booking["tickets"]) == 3

    def test_passes_over_tickets_of_no_known_booking(self, staff: APIClient) -> None:
        tell(receipt(), confirmed(ticket=SECOND, booking_id=""), receipt(ticket=SECOND))
        assert ids(staff.get(f"{OPS}?receipt_issue_date=2026-05-02")) == []

    def test_takes_the_first_days_of_the_calendar_and_the_last(self, staff: APIClient, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = "Asia/Tokyo"
        for day in ("0001-01-01", "9999-12-30"):
            assert ids(staff.get(f"{OPS}?receipt_issue_date={day}")) == []

    @pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "02.05.2026", "05/02/2026", "9999-12-31", "20260502"])
    def test_refuses_what_is_no_such_day(self, staff: APIClient, day: str) -> None:
        response = staff.get(f"{OPS}?receipt_issue_date={day}")
        assert (response.status_code, list(response.json()["errors"])) == (400, ["receipt_issue_date"])

    def test_goes_on_to_the_next_page(self, staff: APIClient) -> None:
        bookings = {with_receipt(datetime(2026, 5, 2, 12, tzinfo=UTC)) for _ in range(3)}
        with_receipt(datetime(2026, 5, 4, 12, tzinfo=UTC))
        first = staff.get(f"{OPS}?receipt_issue_date=2026-05-02&page_size=2")
        assert set(ids(first) + ids(staff.get(first.json()["next"]))) == bookings

    def test_says_in_the_document_which_day_it_takes(self, staff: APIClient) -> None:
        paths = staff.get("/api/v1/schema/", headers={"accept": "application/json"}).json()["paths"]
        parameters = {parameter["name"]: parameter for parameter in paths[OPS]["get"]["parameters"]}
        assert "TICKETS_TIME_ZONE" in parameters["receipt_issue_date"]["description"]
        assert parameters["receipt_issue_date"]["schema"]["format"] == "date"
        assert set(paths[f"{OPS}{{booking_id}}/"]) == {"get"}


@pytest.mark.parametrize("address", [OPS, f"{OPS}{BOOKING}/"])
class TestPermission:
    def test_is_refused_to_nobody_and_to_customers(self, address: str, nobody: APIClient, customer: APIClient) -> None:
        tell(made())
        assert (nobody.get(address).status_code, customer.get(address).status_code) == (401, 403)

    def test_is_refused_to_staff_without_it(self, address: str) -> None:
        tell(made())
        assert with_token(StaffFactory.create(role="box office")).get(address).status_code == 403

    def test_is_enough_for_staff(self, address: str) -> None:
        tell(made())
        reader = StaffFactory.create(role="")
        reader.user_permissions.add(Permission.objects.get(codename="view_opsbooking"))
        assert with_token(reader).get(address).status_code == 200

    def test_is_not_enough_for_a_customer(self, address: str, ada: Any, customer: APIClient) -> None:
        tell(made())
        ada.user_permissions.add(Permission.objects.get(codename="view_opsbooking"))
        assert customer.get(address).status_code == 403

    def test_reads_only(self, address: str, staff: APIClient) -> None:
        assert staff.post(address, {}).status_code == 405

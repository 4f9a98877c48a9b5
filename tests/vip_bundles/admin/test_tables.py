"""The tables on a bundle's page."""

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from bookings.events import TicketRefundedV1
from printing.events import TicketPrintedV1
from tests.factories import made_bundle, staff_act
from tests.vip_bundles.admin.looking import deliveries, give_up, page_of, table
from tests.vip_bundles.stored import (
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    inbound_failed,
    standing,
    tell,
)
from tests.working import deliver_all
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.services import retry_step

pytestmark = pytest.mark.django_db
TICKETS, TRANSPORT, REFUNDS = "Tickets", "Flights and taxi", "Refunds"
PARKED = "parked given up after 12 attempts: TemporaryUpstreamError: answered 503"


def with_one_ticket() -> tuple[VipBundle, str]:
    """Return a bundle that has heard of one of its tickets."""
    bundle, ticket_id = standing(State.BOOKING_SHOW), str(uuid4())
    hear(booking_made(bundle), confirmed(bundle, ticket_id))
    return bundle, ticket_id


def printed(bundle: VipBundle, ticket_id: str) -> None:
    tell(TicketPrintedV1(ticket_id=ticket_id, file_name="a.html", booking_id=str(bundle.booking_id)))
    deliver_all("vip_bundles.record_printed")


class TestTicketSection:
    def test_tells_when_each_was_confirmed_and_printed_and_where_its_document_is(self, admin_client: Client) -> None:
        bundle, ticket_id = with_one_ticket()
        printed(bundle, ticket_id)
        [[ticket, confirmed_at, printed_at, document, refunded]] = table(admin_client, bundle, TICKETS)
        assert (ticket, document, refunded) == (ticket_id, "a.html", "-")
        assert confirmed_at.startswith("20")
        assert printed_at.startswith("printed 20")
        page = admin_client.get(page_of(bundle)).content.decode()
        assert f"/admin/bookings/ticket/{ticket_id}/change/" in page
        assert f"/admin/bookings/ticket/{ticket_id}/document/" in page
        assert "1 of 3 tickets are confirmed." in page

    def test_tells_what_an_unprinted_one_waits_for(self, admin_client: Client) -> None:
        bundle, _ = with_one_ticket()
        assert table(admin_client, bundle, TICKETS)[0][2:4] == ["pending in the queue", "-"]
        give_up("printing.print_ticket")
        assert table(admin_client, bundle, TICKETS)[0][2] == PARKED

    def test_says_when_nothing_prints_it(self, admin_client: Client) -> None:
        bundle, _ = with_one_ticket()
        deliveries("printing.print_ticket").delete()
        assert table(admin_client, bundle, TICKETS)[0][2] == "nothing on its way"

    def test_shows_one_that_was_printed_before_its_confirmation_was_heard(self, admin_client: Client) -> None:
        bundle, ticket_id = standing(State.BOOKING_SHOW), str(uuid4())
        printed(bundle, ticket_id)
        [[ticket, confirmed_at, printed_at, *_]] = table(admin_client, bundle, TICKETS)
        assert (ticket, confirmed_at, printed_at[:7]) == (ticket_id, "-", "printed")

    def test_says_nothing_more_once_all_are_confirmed(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        assert len(table(admin_client, bundle, TICKETS)) == 3
        assert "tickets are confirmed." not in admin_client.get(page_of(bundle)).content.decode()


class TestTransportSection:
    def test_tells_what_is_wanted(self, admin_client: Client) -> None:
        bundle = made_bundle(return_flight=False, taxi=False)
        assert table(admin_client, bundle, TRANSPORT) == [
            ["inbound flight", str(bundle.inbound_flight_id), "not asked for", "-", "-"],
            ["return flight", "-", "not wanted", "-", "-"],
            ["taxi", "-", "not wanted", "-", "-"],
        ]

    def test_tells_what_is_booked_and_what_is_asked_for(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_RETURN_FLIGHT)
        inbound, homeward, taxi = table(admin_client, bundle, TRANSPORT)
        assert (inbound[2][:7], inbound[3], inbound[4]) == ("booked ", "i1i2", "-")
        assert homeward[1:] == [str(bundle.return_flight_id), "pending in the queue", "-", "-"]
        assert taxi == ["taxi", "-", "not asked for", "-", "-"]

    def test_tells_what_was_given_up(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        give_up("vip_bundles.book_taxi")
        assert table(admin_client, bundle, TRANSPORT)[2][2] == PARKED

    def test_tells_what_could_not_be_booked(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        deliveries("vip_bundles.book_flight").update(status="delivered", delivered_at=timezone.now())
        hear(inbound_failed(bundle))
        assert table(admin_client, bundle, TRANSPORT)[0][2:] == ["not booked", "-", "-"]

    def test_tells_what_is_cancelled_and_what_is_to_be(self, admin_client: Client) -> None:
        bundle = standing(State.FAILED)
        first = deliveries("vip_bundles.cancel_flight").order_by("id")[0]
        deliveries("vip_bundles.cancel_flight").filter(pk=first.pk).update(
            status="delivered", delivered_at=timezone.now()
        )
        inbound, homeward, taxi = (row[4] for row in table(admin_client, bundle, TRANSPORT))
        assert (inbound[:12], homeward, taxi) == ("cancelled 20", "pending in the queue", "-")

    def test_tells_the_taxi_that_came_late(self, admin_client: Client) -> None:
        bundle = standing(State.FINALIZED)
        assert table(admin_client, bundle, TRANSPORT)[2][:2] == ["taxi", "t1"]

    def test_takes_one_flight_that_was_asked_for_twice_as_booked(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        retry_step(vip_bundle_id=bundle.id, act=staff_act(reason="once more"))
        hear(inbound_booked(bundle))
        assert table(admin_client, bundle, TRANSPORT)[0][2].startswith("booked 20")


class TestRefundSections:
    def test_is_left_out_when_none_was_asked_for(self, admin_client: Client) -> None:
        bundle = standing(State.FINALIZED)
        titles = [found.title for found in admin_client.get(page_of(bundle)).context["sections"]]
        assert (TICKETS in titles, REFUNDS in titles) == (True, False)

    def test_tells_where_each_stands(self, admin_client: Client) -> None:
        bundle = standing(State.FAILED)
        paid, failed, waiting = sorted(str(ticket.ticket_id) for ticket in bundle.tickets.all())
        rows = deliveries("bookings.refund_ticket").filter(message__aggregateid=failed)
        rows.update(status="parked", attempts=1, last_error="ValueError: no card")
        tell(TicketRefundedV1(ticket_id=paid, booking_id=str(bundle.booking_id)))
        deliver_all("vip_bundles.record_refunded")
        found = {ticket: (asked, stands) for ticket, asked, stands in table(admin_client, bundle, REFUNDS)}
        assert {asked[:2] for asked, _ in found.values()} == {"20"}
        assert found[paid][1].startswith("refunded 20")
        assert found[failed][1] == "parked given up after one attempt: ValueError: no card"
        assert found[waiting][1] == "pending in the queue"
        assert {row[0]: row[4][:2] for row in table(admin_client, bundle, TICKETS)} == {
            paid: "20",
            failed: "-",
            waiting: "-",
        }

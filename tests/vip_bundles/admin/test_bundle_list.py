"""The list of bundles."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from printing.events import TicketPrintedV1
from tests.factories import NOON, made_bundle
from tests.pages import page, results, staff_with
from tests.vip_bundles.admin.looking import LIST, deliveries, give_up, page_of, queries_for, stuck, text
from tests.vip_bundles.stored import booking_failed, hear, standing, tell
from tests.working import deliver_all
from tickets_project.outbox.repairing import discard_delivery
from vip_bundles.facts import State
from vip_bundles.models import VipBundle

pytestmark = pytest.mark.django_db


def cells(client: Client, bundle: VipBundle) -> list[str]:
    """Return what the list shows of a bundle."""
    rows = client.get(LIST).context["cl"]
    admin_class = rows.model_admin
    [row] = [row for row in rows.result_list if row.pk == bundle.pk]
    return [text(getattr(row, shown) if isinstance(shown, str) else shown(row)) for shown in admin_class.list_display]


def print_first(bundle: VipBundle) -> None:
    ticket = bundle.tickets.first()
    assert ticket is not None
    tell(TicketPrintedV1(ticket_id=str(ticket.ticket_id), file_name="a.html", booking_id=str(bundle.booking_id)))
    deliver_all("vip_bundles.record_printed")


class TestList:
    def test_is_newest_first(self, admin_client: Client) -> None:
        now = timezone.now()
        old, new, between = (made_bundle(at=now - timedelta(minutes=minutes)) for minutes in (9, 1, 5))
        assert results(admin_client, LIST) == [new, between, old]

    def test_shows_who_it_is_for_where_it_stands_and_what_it_waits_for(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT, at=timezone.now() - timedelta(hours=2, minutes=1))
        print_first(bundle)
        assert cells(admin_client, bundle) == [
            "Carmen for 3",
            bundle.customer_email,
            "booking inbound flight",
            "2 hours",
            "the inbound flight pending in the queue",
            "1 of 3",
        ]
        assert page_of(bundle) in page(admin_client, LIST)

    def test_shows_what_is_stuck_and_why(self, admin_client: Client) -> None:
        bundle = stuck(State.BOOKING_TAXI)
        delivery = give_up("vip_bundles.book_taxi")
        shown = cells(admin_client, bundle)
        assert shown[2] == "booking taxi stuck"
        assert shown[4] == "the taxi parked given up after 12 attempts: TemporaryUpstreamError: answered 503"
        assert f"/admin/outbox/delivery/{delivery.pk}/change/" in page(admin_client, LIST)

    def test_says_what_was_discarded_only_when_nothing_else_is_left(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        discard_delivery(give_up("vip_bundles.book_taxi").pk, by="ann", at=NOON, reason="no taxis here")
        assert cells(admin_client, bundle)[4] == "the taxi discarded discarded by ann: no taxis here"
        deliveries("vip_bundles.book_taxi").delete()
        assert cells(admin_client, bundle)[4] == "the taxi nothing on its way"

    @pytest.mark.parametrize(
        ("state", "waits_for"),
        [(State.FINALIZED, "-"), (State.FAILED, "taking back pending in the queue")],
    )
    def test_says_what_follows_the_end(self, admin_client: Client, state: State, waits_for: str) -> None:
        assert cells(admin_client, standing(state))[4] == waits_for

    def test_leaves_nothing_to_wait_for_when_nothing_was_booked(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_SHOW)
        deliveries("bookings.book_show_tickets").update(status="delivered", delivered_at=NOON)
        hear(booking_failed(bundle))
        assert cells(admin_client, bundle)[4] == "-"

    def test_marks_one_that_ended_well_without_all_of_its_tickets(self, admin_client: Client) -> None:
        whole, missing = standing(State.FINALIZED), standing(State.FINALIZED)
        missing.tickets.all()[0].delete()
        assert [cells(admin_client, bundle)[5] for bundle in (whole, missing)] == ["0 of 3", "0 of 3 missing"]

    def test_cuts_a_long_title(self, admin_client: Client) -> None:
        bundle = made_bundle()
        VipBundle.objects.update(show_title="x" * 200)
        assert len(cells(admin_client, bundle)[0]) == 40

    def test_takes_a_title_as_text(self, admin_client: Client) -> None:
        bundle = made_bundle()
        VipBundle.objects.update(show_title="<b>Car</b>", passengers=["<i>", "b", "c"])
        for address in (LIST, page_of(bundle)):
            assert "<b>Car</b>" not in page(admin_client, address)
            assert "&lt;b&gt;Car&lt;/b&gt;" in page(admin_client, address)
        assert "<i>," not in page(admin_client, page_of(bundle))

    def test_asks_as_often_for_many_as_for_one(self, admin_client: Client) -> None:
        self.one_of_each_kind(1)
        admin_client.get(LIST)
        few = queries_for(admin_client, LIST)
        self.one_of_each_kind(4)
        many = queries_for(admin_client, LIST)
        assert len(results(admin_client, LIST)) == 25
        assert len(many) == len(few) <= 9
        assert not [query for query in many if "DISTINCT" in query]

    @staticmethod
    def one_of_each_kind(times: int) -> None:
        for _ in range(times):
            for state in (State.INITIALIZED, State.BOOKING_SHOW, State.FINALIZED, State.FAILED):
                standing(state)
            stuck(State.BOOKING_TAXI)
            give_up("vip_bundles.book_taxi")
            standing(State.BOOKING_INBOUND_FLIGHT)
            discard_delivery(give_up("vip_bundles.book_flight").pk, by="ann", at=NOON, reason="no")

    def test_shows_25_a_page(self, admin_client: Client) -> None:
        for _ in range(26):
            made_bundle()
        assert len(results(admin_client, LIST)) == 25

    def test_narrows_by_state(self, admin_client: Client) -> None:
        waiting, begun = standing(State.BOOKING_SHOW), made_bundle()
        assert results(admin_client, f"{LIST}?state__exact=booking_show") == [waiting]
        assert results(admin_client, f"{LIST}?state__exact=initialized") == [begun]

    def test_narrows_to_what_is_stuck(self, admin_client: Client) -> None:
        late, other = stuck(), made_bundle()
        assert results(admin_client, f"{LIST}?stuck=yes") == [late]
        assert results(admin_client, f"{LIST}?stuck=no") == [other]

    @pytest.mark.parametrize(
        "wanted",
        [
            lambda bundle: bundle.id,
            lambda bundle: str(bundle.booking_id).upper(),
            lambda bundle: bundle.customer_email,
            lambda bundle: f" {bundle.customer_email.upper()} ",
        ],
    )
    def test_finds_by_id_booking_and_customer(self, admin_client: Client, wanted: Callable[[VipBundle], Any]) -> None:
        bundle, _ = made_bundle(), made_bundle()
        found = admin_client.get(LIST, {"q": wanted(bundle)}).context["cl"].result_list
        assert list(found) == [bundle]

    @pytest.mark.parametrize("wanted", [uuid4(), "Carmen", "a@b.example", "%", "'"])
    def test_finds_nothing_else(self, admin_client: Client, wanted: object) -> None:
        made_bundle()
        assert results(admin_client, f"{LIST}?q={wanted}") == []

    def test_is_for_those_who_may_look(self) -> None:
        bundle = made_bundle()
        for address in (LIST, page_of(bundle)):
            assert staff_with("view_booking").get(address).status_code == 403
            assert staff_with("view_vipbundle").get(address).status_code == 200

"""The scan page in a real browser: the focus, fast scanning, and a network that fails."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect

from bookings.models import Scan, Ticket
from tests.bookings.tickets import active_ticket, now
from tests.factories import StaffFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HEADLINE, REASON, FIELD = ".scan-headline", ".scan-reason", "#scan-code"


@pytest.fixture
def door(log_in: Callable[[User], Page]) -> Page:
    """Return the page that somebody at the door lands on."""
    return ready(log_in(StaffFactory.create(username="ann", role="door")))


@pytest.fixture
def supervisor(page: Page) -> Page:
    """Return the scan page of somebody who may undo."""
    page.get_by_role("link", name="Scan at the door").click()
    return ready(page)


def ready(page: Page) -> Page:
    """Wait for the scan page and its script."""
    expect(page.locator("#scan-form[data-waiting]")).to_be_visible()
    expect(page.locator(FIELD)).to_be_focused()
    return page


def wedge(page: Page, ticket: Ticket | str) -> None:
    """Do what a scanner does: type wherever the focus is, and end with Enter."""
    page.keyboard.type(ticket if isinstance(ticket, str) else ticket.redemption_code)
    page.keyboard.press("Enter")


class TestScanPage:
    def test_is_all_that_somebody_at_the_door_sees(self, door: Page) -> None:
        expect(door).to_have_url(re.compile("/admin/scan/$"))
        expect(door.locator("#nav-sidebar-apps a")).to_have_text(["qr_code_scanner Scan at the door"])
        for address in ("bookings/ticket/", "bookings/booking/", "bookings/scan/"):
            answer = door.request.get(f"{door.url.removesuffix('scan/')}{address}")
            assert answer.status == 403

    def test_admits_once_and_tells_the_second_when_where_and_who(self, door: Page) -> None:
        ticket = active_ticket()
        door.fill("#scan-location", "Gate B")
        door.keyboard.press("Enter")
        wedge(door, ticket)
        expect(door.locator(HEADLINE)).to_have_text("ADMIT")
        expect(door.locator(".scan-answer-admit")).to_have_css("background-color", "rgb(21, 128, 61)")
        expect(door.locator(FIELD)).to_have_value("")
        wedge(door, ticket)
        expect(door.locator(HEADLINE)).to_have_text("STOP")
        used = f"Already used at {now(ticket).redeemed_at:%H:%M} at Gate B by ann."
        expect(door.locator(REASON)).to_have_text(used)
        expect(door.locator(".scan-latest li")).to_have_count(2)

    def test_keeps_the_focus_in_the_field(self, door: Page) -> None:
        expect(door.locator(FIELD)).to_be_focused()
        door.mouse.click(1400, 900)
        expect(door.locator(FIELD)).to_be_focused()
        for code in (active_ticket().redemption_code, "nonsense"):
            wedge(door, code)
            expect(door.locator(".scan-latest")).to_contain_text(code)
            expect(door.locator(FIELD)).to_be_focused()

    def test_lets_keys_go_elsewhere_and_takes_the_scanner_back(self, door: Page) -> None:
        door.keyboard.press("Tab")
        expect(door.get_by_role("button", name="Check")).to_be_focused()
        wedge(door, ticket := active_ticket())
        expect(door.locator(HEADLINE)).to_have_text("ADMIT")
        assert now(ticket).status == "redeemed"

    def test_is_not_held_up_by_an_answer_on_its_way(self, door: Page) -> None:
        tickets = [active_ticket() for _ in range(5)]
        for ticket in tickets:
            wedge(door, ticket)
        expect(door.locator(".scan-word-admit")).to_have_count(5)
        scanned = Scan.objects.order_by("scanned_at").values_list("ticket_id", flat=True)
        assert list(scanned) == [ticket.pk for ticket in tickets]

    def test_takes_the_colour_off_an_earlier_answer_while_one_is_on_its_way(self, door: Page) -> None:
        wedge(door, active_ticket())
        answer = door.locator(".scan-answer-admit")
        expect(answer).to_have_css("filter", "none")
        held: list[Route] = []
        door.route("**/admin/scan/", lambda route: held.append(route))  # noqa: PLW0108 - playwright marks it
        wedge(door, "nonsense")
        expect(answer).to_have_css("filter", "grayscale(1)")
        held.pop().continue_()
        expect(door.locator(".scan-answer-stop")).to_have_css("filter", "none")
        door.unroute("**/admin/scan/")

    def test_sends_the_same_scan_again_when_the_answer_is_lost(self, door: Page, complaints: list[str]) -> None:
        lost: list[str] = []

        def lose_the_first(route: Route) -> None:
            if not lost:
                lost.append(route.request.url)
                route.fetch()
                route.abort()
            else:
                route.continue_()

        door.route("**/admin/scan/", lose_the_first)
        wedge(door, active_ticket())
        expect(door.locator(HEADLINE)).to_have_text("WAIT")
        expect(door.locator(HEADLINE)).to_have_text("ADMIT")
        door.unroute("**/admin/scan/")
        assert Scan.objects.count() == 1
        assert [text for text in complaints if "ERR_FAILED" not in text] == []
        complaints.clear()

    def test_leads_to_the_login_when_the_session_is_over(self, door: Page) -> None:
        door.context.clear_cookies(name="sessionid")
        wedge(door, active_ticket())
        expect(door.locator("[name=username]")).to_be_visible()

    def test_works_on_a_phone(self, door: Page) -> None:
        door.set_viewport_size({"width": 390, "height": 844})
        wedge(door, active_ticket())
        expect(door.locator(HEADLINE)).to_be_in_viewport()
        assert door.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        door.set_viewport_size({"width": 1500, "height": 1000})


class TestUndo:
    def test_takes_the_last_one_back(self, supervisor: Page) -> None:
        wedge(supervisor, ticket := active_ticket())
        supervisor.get_by_role("button", name="Undo").click()
        expect(supervisor.locator(HEADLINE)).to_have_text("UNDONE")
        expect(supervisor.locator(FIELD)).to_be_focused()
        expect(supervisor.get_by_role("button", name="Undo")).to_have_count(0)
        assert now(ticket).status == "active"
        wedge(supervisor, ticket)
        expect(supervisor.locator(HEADLINE)).to_have_text("ADMIT")

    def test_is_not_for_somebody_at_the_door(self, door: Page) -> None:
        wedge(door, active_ticket())
        expect(door.locator(HEADLINE)).to_have_text("ADMIT")
        expect(door.get_by_role("button", name="Undo")).to_have_count(0)

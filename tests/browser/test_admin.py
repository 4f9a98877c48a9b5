"""The admin in a real browser."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.factories import DeliveryFactory, confirmed_booking, only_ticket, pending_booking
from tickets_project.outbox.models import Delivery

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PASSWORD = "difference engine"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="The browser tests need Chromium as `chromium` on the PATH."),
]


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright runs its own event loop in this thread, which Django takes for asynchronous code.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(15_000)
        yield page
        browser.close()


@pytest.fixture
def page(browser_page: Page, live_server: LiveServer) -> Iterator[Page]:
    """Return a page of a superuser who has just logged in; it must not complain of anything."""
    User.objects.create_superuser("ada", "ada@example.com", PASSWORD)
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "favicon" not in message.location["url"]:
            complaints.append(message.text)

    browser_page.on("console", note)
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.goto(f"{live_server.url}/admin/")
    browser_page.fill("[name=username]", "ada")
    browser_page.fill("[name=password]", PASSWORD)
    browser_page.click("button[type=submit]")
    yield browser_page
    browser_page.context.clear_cookies()
    assert complaints == []


def open_list(page: Page, model: str) -> None:
    page.locator(f'a[href="/admin/{model}/"]').first.click()


class TestBookings:
    def test_confirms_a_booking(self, page: Page) -> None:
        pending_booking(customer_email="grace@example.com")
        open_list(page, "bookings/booking")
        expect(page.get_by_text("grace@example.com")).to_be_visible()
        page.locator("th a").first.click()
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Confirmed.")).to_be_visible()
        expect(page.get_by_text("in the queue")).to_have_count(2)


class TestTickets:
    def test_leads_from_a_ticket_to_what_waits(self, page: Page) -> None:
        ticket = only_ticket(confirmed_booking(seats=1))
        Delivery.objects.update(status="parked", attempts=12, last_error="Traceback\nValueError: no such seat")
        open_list(page, "bookings/ticket")
        page.get_by_role("link", name=ticket.redemption_code).click()
        page.get_by_role("link", name="printing.print_ticket").click()
        expect(page.get_by_text("given up after 12 attempts: ValueError: no such seat")).to_be_visible()


class TestDeliveries:
    def test_retries_a_parked_delivery(self, page: Page) -> None:
        delivery = DeliveryFactory.create(status="parked", attempts=12, last_error="ValueError: no")
        open_list(page, "outbox/delivery")
        page.get_by_role("link", name=str(delivery.pk), exact=True).click()
        page.get_by_role("button", name="Retry now").click()
        expect(page.get_by_text("1 retried.")).to_be_visible()
        delivery.refresh_from_db()
        assert delivery.status == "pending"

    def test_discards_all_of_several_pages(self, page: Page) -> None:
        for _ in range(30):
            DeliveryFactory.create(status="parked", attempts=12, last_error="ValueError: no")
        open_list(page, "outbox/delivery")
        page.locator("#action-toggle").click()
        page.get_by_text("Select all 30").click()
        page.locator("select[name=action]").select_option("discard_selected")
        page.get_by_role("button", name="Run").click()
        page.get_by_label("Why?").fill("a test")
        page.get_by_role("button", name="Yes, I").click()
        expect(page.get_by_text("30 discarded.")).to_be_visible()
        assert Delivery.objects.filter(status="discarded").count() == 30


class TestDashboard:
    def test_shows_first_what_waits(self, page: Page) -> None:
        DeliveryFactory.create(status="parked", attempts=12, last_error="ValueError: no such seat")
        page.reload()
        expect(page.get_by_text("ValueError: no such seat").first).to_be_visible()

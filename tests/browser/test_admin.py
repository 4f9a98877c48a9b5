"""The admin in a real browser."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from bookings.models import Booking, Resource
from tests.factories import DeliveryFactory, confirmed_booking, only_ticket, pending_booking
from tickets_project.outbox.models import Delivery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
        expect(page.get_by_text("in the queue").first).to_be_visible()

    def test_cancels_a_booking_after_showing_what_goes_back(self, page: Page) -> None:
        booking = confirmed_booking(customer_email="grace@example.com")
        open_list(page, "bookings/booking")
        page.get_by_role("link", name=str(booking)).click()
        page.get_by_role("link", name="Cancel…").click()
        expect(page.get_by_text("Cancelling now pays back 20.00 EUR.")).to_be_visible()
        expect(page.get_by_label("Pay back, in EUR")).to_have_value("20.00")
        page.get_by_label("Reason").fill("The singer is ill")
        page.get_by_label("Pay back, in EUR").fill("5.00")
        page.get_by_role("button", name="Cancel the booking").click()
        expect(page.get_by_text("Cancelled; 5.00 EUR goes back.")).to_be_visible()
        booking = Booking.objects.get()
        assert (booking.status, booking.refund_amount) == ("cancelled", Decimal("5.00"))

    def test_thinks_better_of_cancelling(self, page: Page) -> None:
        booking = confirmed_booking()
        open_list(page, "bookings/booking")
        page.get_by_role("link", name=str(booking)).click()
        page.get_by_role("link", name="Cancel…").click()
        page.get_by_role("link", name="No, take me back").click()
        expect(page.get_by_role("link", name="Cancel…")).to_be_visible()
        assert Booking.objects.get().status == "confirmed"


class TestResources:
    def test_puts_one_up_with_several_openings(self, page: Page) -> None:
        open_list(page, "bookings/resource")
        page.locator('a[href="/admin/bookings/resource/add/"]').first.click()
        page.fill("[name=name]", "Blue room")
        page.fill("[name=price_amount]", "12.50")
        page.fill("[name=price_currency]", "EUR")
        page.fill("[name=opening_hours-0-opens]", "09:00")
        page.fill("[name=opening_hours-0-closes]", "12:00")
        page.get_by_text("Add another Opening").click()
        page.fill("[name=opening_hours-1-opens]", "14:00")
        page.fill("[name=opening_hours-1-closes]", "00:00")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was added successfully")).to_be_visible()
        assert Resource.objects.get().opening_hours.count() == 2


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
        expect(page.get_by_text("Deliveries that were given up")).to_be_visible()
        expect(page.get_by_text("ValueError: no such seat").first).to_be_visible()

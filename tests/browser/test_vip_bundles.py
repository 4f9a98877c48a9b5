"""The pages of VIP bundles in a real browser."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.factories import staff_act
from tests.vip_bundles.admin.looking import LIST, give_up, page_of
from tests.vip_bundles.stored import hear, sent, standing, stored, taxi_booked
from tickets_project.audit.acts import Act
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.services import flag_stuck, retry_step, roll_back

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 400, "height": 800}
HERE = ".bundle-drawing .bundle-box.here"


def stuck() -> VipBundle:
    bundle = standing(State.BOOKING_RETURN_FLIGHT, at=timezone.now() - timedelta(hours=2))
    give_up("vip_bundles.book_flight")
    flag_stuck(vip_bundle_id=bundle.id, act=Act(at=timezone.now()))
    return bundle


def asked_twice() -> VipBundle:
    bundle = standing(State.BOOKING_RETURN_FLIGHT, taxi=False)
    for _ in range(2):
        retry_step(vip_bundle_id=bundle.id, act=staff_act(reason="once more"))
    return bundle


def taken_back() -> VipBundle:
    bundle = standing(State.BOOKING_TAXI)
    roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="the customer is ill"))
    hear(taxi_booked(bundle))
    return bundle


@pytest.fixture
def narrow(page: Page) -> Iterator[Page]:
    """Return the page as wide as a phone."""
    before = page.viewport_size
    page.set_viewport_size(PHONE)  # type: ignore[arg-type] # a TypedDict
    yield page
    page.set_viewport_size(before or PHONE)  # type: ignore[arg-type] # likewise


class TestPage:
    def test_marks_in_the_drawing_where_the_bundle_stands(self, page: Page, live_server: LiveServer) -> None:
        bundle = stuck()
        page.goto(f"{live_server.url}{page_of(bundle)}")
        drawing = page.get_by_role("img", name="The bundle's way through its states")
        expect(drawing).to_be_visible()
        expect(page.locator(f"{HERE} .bundle-box-label")).to_have_text("booking return flight")
        expect(page.locator(f"{HERE} rect")).to_have_css("fill", "rgb(194, 65, 12)")
        assert page.locator(".bundle-drawing .bundle-box").count() == len(State)

    def test_puts_the_drawing_beside_the_timeline(self, page: Page, live_server: LiveServer) -> None:
        page.goto(f"{live_server.url}{page_of(stuck())}")
        drawing, timeline = (page.locator(part).bounding_box() for part in (".bundle-drawing", ".bundle-timeline"))
        assert drawing is not None
        assert timeline is not None
        assert drawing["x"] + drawing["width"] < timeline["x"]

    def test_keeps_each_label_within_its_box_and_apart_from_the_others(
        self, page: Page, live_server: LiveServer
    ) -> None:
        for bundle in (asked_twice(), stuck(), taken_back()):
            page.goto(f"{live_server.url}{page_of(bundle)}")
            page.evaluate("document.fonts.ready")
            assert page.evaluate(OUTSIDE_ITS_BOX) == []

    def test_leads_from_the_timeline_to_what_was_given_up(self, page: Page, live_server: LiveServer) -> None:
        page.goto(f"{live_server.url}{page_of(stuck())}")
        page.locator(".bundle-timeline").get_by_text("given up after 12 attempts").last.click()
        expect(page.get_by_role("button", name="Retry now")).to_be_visible()

    @pytest.mark.parametrize("make", [stuck, taken_back])
    def test_fits_a_phone(self, narrow: Page, live_server: LiveServer, make: object) -> None:
        assert callable(make)
        for address in (page_of(make()), LIST):
            narrow.goto(f"{live_server.url}{address}")
            expect(narrow.get_by_text("Carmen for 3").first).to_be_attached()
            assert narrow.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    def test_puts_the_timeline_below_the_drawing_on_a_phone(self, narrow: Page, live_server: LiveServer) -> None:
        narrow.goto(f"{live_server.url}{page_of(stuck())}")
        drawing, timeline = (narrow.locator(part).bounding_box() for part in (".bundle-drawing", ".bundle-timeline"))
        assert drawing is not None
        assert timeline is not None
        assert drawing["y"] + drawing["height"] < timeline["y"]

    def test_is_drawn_for_the_dark_too(self, page: Page, live_server: LiveServer) -> None:
        page.emulate_media(color_scheme="dark")
        page.goto(f"{live_server.url}{page_of(stuck())}")
        expect(page.locator(f"{HERE} rect")).to_have_css("fill", "rgb(251, 146, 60)")
        expect(page.locator(".bundle-drawing .bundle-box.passed text").first).to_have_css("fill", "rgb(192, 132, 252)")
        page.emulate_media(color_scheme="light")


class TestRepairs:
    def test_rolls_back_once_asked(self, page: Page, live_server: LiveServer) -> None:
        bundle = stuck()
        page.goto(f"{live_server.url}{page_of(bundle)}")
        page.get_by_role("link", name="Roll back…").click()
        expect(page.get_by_text("Tickets that are refunded: 3.")).to_be_visible()
        expect(page.get_by_text("Flights that are cancelled: 1, with 2 flight tickets.")).to_be_visible()
        page.get_by_label("Reason").fill("the customer is ill")
        page.get_by_role("button", name="Roll back").click()
        expect(page.get_by_text("Rolled back: what was booked is being taken back")).to_be_visible()
        expect(page.locator(f"{HERE} .bundle-box-label")).to_have_text("failed")
        expect(page.get_by_role("link", name="Roll back…")).to_have_count(0)
        assert (stored(bundle).state, len(sent("RefundTicket"))) == ("failed", 3)

    def test_retries_what_is_stuck_from_the_list(self, page: Page, live_server: LiveServer) -> None:
        bundle = stuck()
        page.goto(f"{live_server.url}{LIST}?stuck=yes")
        page.locator("#action-toggle").click()
        page.locator("select[name=action]").select_option("retry_selected")
        page.get_by_role("button", name="Run").click()
        page.get_by_label("Why?").fill("the service is back")
        page.get_by_role("button", name="Yes, I").click()
        expect(page.get_by_text("1 retried.")).to_be_visible()
        assert stored(bundle).stuck_at is None


OUTSIDE_ITS_BOX = """() => {
    const boxes = [...document.querySelectorAll('.bundle-drawing .bundle-box')];
    const outside = boxes.flatMap(box => {
        const frame = box.querySelector('rect').getBoundingClientRect();
        return [...box.querySelectorAll('text')].filter(text => {
            const words = text.getBoundingClientRect();
            return words.left < frame.left || words.right > frame.right
                || words.top < frame.top || words.bottom > frame.bottom;
        }).map(text => text.textContent);
    });
    const words = [...document.querySelectorAll('.bundle-drawing text')];
    const rects = words.map(text => text.getBoundingClientRect());
    const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    const frames = boxes.map(box => box.querySelector('rect').getBoundingClientRect());
    words.forEach((text, index) => {
        if (!text.closest('.bundle-box') && frames.some(frame => meet(rects[index], frame))) {
            outside.push(text.textContent);
        }
    });
    words.forEach((text, index) => rects.slice(index + 1).forEach((other, step) => {
        if (!text.closest('.bundle-box') && meet(rects[index], other)) {
            outside.push(text.textContent + ' / ' + words[index + 1 + step].textContent);
        }
    }));
    const frame = document.querySelector('.bundle-drawing').getBoundingClientRect();
    words.forEach((text, index) => {
        if (rects[index].left < frame.left || rects[index].right > frame.right) { outside.push(text.textContent); }
    });
    return outside;
}"""

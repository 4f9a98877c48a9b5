"""A real browser, and who has logged in."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PASSWORD = "difference engine"


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("The browser tests need Chromium as `chromium` on the PATH.")
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright runs its own event loop in this thread, which Django takes for asynchronous code.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(15_000)
        yield page
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """Return what the page has complained of; a test that expects a complaint takes it away."""
    return []


@pytest.fixture
def log_in(browser_page: Page, live_server: LiveServer, complaints: list[str]) -> Iterator[Callable[[User], Page]]:
    """Log a user in, and return the page that this leads to; it must not complain of anything."""

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "favicon" not in message.location["url"]:
            complaints.append(message.text)

    def note_error(error: Exception) -> None:
        complaints.append(str(error))

    def log_in(user: User) -> Page:
        user.set_password(PASSWORD)
        user.save()
        browser_page.goto(f"{live_server.url}/admin/")
        browser_page.fill("[name=username]", user.username)
        browser_page.fill("[name=password]", PASSWORD)
        browser_page.click("button[type=submit]")
        expect(browser_page.locator("#nav-sidebar-inner")).to_be_visible()
        return browser_page

    browser_page.on("console", note)
    browser_page.on("pageerror", note_error)
    yield log_in
    browser_page.context.clear_cookies()
    browser_page.remove_listener("console", note)
    browser_page.remove_listener("pageerror", note_error)
    assert complaints == []


@pytest.fixture
def page(log_in: Callable[[User], Page]) -> Page:
    """Return a page of a superuser who has just logged in."""
    return log_in(User.objects.create_superuser("ada", "ada@example.com", PASSWORD))

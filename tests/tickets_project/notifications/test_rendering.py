"""Mails in words."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.tickets_project.notifications.made import BOOKING, FACTS, TICKET, unsaved
from tickets_project.notifications.rendering import one_line, render

NASTY = """</title><script>alert("1")</script><b>'&amp;&"""
SECRETIVE = "Carmen\r\nBcc: eve@evil.example\n\x00\x85\u2028Subject: other"
STARTS = "Saturday 2 May 2026, 20:00 (Europe/Madrid, UTC+02:00)"
ENDS = "Saturday 2 May 2026, 23:00 (Europe/Madrid, UTC+02:00)"

SAID: dict[str, list[str]] = {
    "booking_confirmed": [
        "Carmen",
        "confirmed",
        "KMNPQRSTVW",
        STARTS,
        ENDS,
        "Teatro Real, Madrid",
        "2",
        TICKET,
        "XYZ234",
        "calendar",
    ],
    "booking_cancelled": [
        "Carmen",
        "cancelled",
        BOOKING,
        "KMNPQRSTVW",
        "The tenor is ill",
        "50.30 EUR",
        STARTS,
        "Teatro Real, Madrid",
    ],
    "ticket_activated": ["Carmen", "active", TICKET, "balcony", "XYZ234", "ABCD EFGH 2345 6789", ENDS],
    "ticket_redeemed": ["Carmen", "was used", TICKET, STARTS, "North door"],
    "refund_processed": ["Carmen", "refunded", TICKET, "50.30 EUR"],
    "booking_reminder": ["Carmen", "starts in 24 hours", STARTS, ENDS, "Teatro Real, Madrid", "KMNPQRSTVW"],
    "vip_bundle_finalized": ["Carmen", "could not be completed", BOOKING, "no seat on the return flight"],
    "vip_bundle_stuck": [
        "Carmen",
        "has not ended in time",
        BOOKING,
        "booking taxi",
        "TaxiBooked_v1 or TaxiBookingFailed_v1",
    ],
}
SUBJECTS = {
    "booking_confirmed": "Booking confirmed: Carmen (KMNPQRSTVW)",
    "booking_cancelled": "Booking cancelled: Carmen (KMNPQRSTVW)",
    "ticket_activated": "Your ticket for Carmen is active",
    "ticket_redeemed": "Your ticket for Carmen was used",
    "refund_processed": "Your refund of 50.30 EUR for Carmen",
    "booking_reminder": "Reminder: Carmen starts in 24 hours (KMNPQRSTVW)",
    "vip_bundle_finalized": "Your VIP bundle for Carmen could not be completed",
    "vip_bundle_stuck": "A VIP bundle for Carmen has not ended in time",
}
TEXTS = [(template, name) for template, facts in FACTS.items() for name, fact in facts.items() if isinstance(fact, str)]
# What a mail does not repeat.
UNSAID = {
    ("booking_confirmed", "booking_id"),
    ("booking_reminder", "booking_id"),
    ("ticket_activated", "qr_code_url"),
    ("ticket_activated", "redemption_code"),
    ("vip_bundle_stuck", "url"),
}


class Page(HTMLParser):
    """The elements, attributes and texts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def without_facts(template: str) -> dict[str, Any]:
    """Return every fact that a thing may lack as None."""
    kept = {"booking_id", "ticket_id", "ticket_type", "vip_bundle_id", "confirmation_code", "hours_before", "success"}
    return {name: None for name in FACTS[template] if name not in kept}


class TestRender:
    @pytest.mark.parametrize("template", SAID)
    def test_says_what_matters_as_text_and_as_html(self, template: str) -> None:
        words = render(unsaved(template), picture="qr@x")
        shown = Page(words.html).text
        for fact in [*SAID[template], "Example Tickets", "Questions? help@tickets.example"]:
            assert fact in words.text
            assert fact in shown

    @pytest.mark.parametrize("template", SUBJECTS)
    def test_puts_the_most_telling_into_the_subject(self, template: str) -> None:
        assert render(unsaved(template)).subject == SUBJECTS[template]

    @pytest.mark.parametrize(("template", "name"), TEXTS)
    def test_escapes_in_html_and_not_in_text(self, template: str, name: str) -> None:
        plain, nasty = render(unsaved(template)), render(unsaved(template, **{name: NASTY}))
        assert "<script" not in nasty.html
        if (template, name) not in UNSAID:
            assert Page(nasty.html).elements == Page(plain.html).elements
            assert NASTY in Page(nasty.html).text
            assert NASTY in nasty.text

    def test_escapes_what_stands_in_lists(self) -> None:
        codes = [{"ticket_id": NASTY, "activation_code": NASTY}]
        words = render(unsaved("booking_confirmed", activation_codes=codes))
        assert "<script" not in words.html
        assert f"ticket {NASTY}: {NASTY}" in words.text

    @pytest.mark.parametrize(("template", "name"), TEXTS)
    def test_keeps_each_fact_on_its_line(self, template: str, name: str) -> None:
        words = render(unsaved(template, **{name: SECRETIVE}))
        assert len(words.subject.splitlines()) == 1
        assert not re.search(r"^\s*(Bcc|Subject):", words.text, flags=re.MULTILINE)
        assert "\x00" not in words.text + words.html

    @pytest.mark.parametrize("template", FACTS)
    def test_reads_well_without_what_is_not_known(self, template: str) -> None:
        words = render(unsaved(template, **without_facts(template)))
        for text in (words.subject, words.text, words.html):
            assert "None" not in text
            assert "Carmen" not in text
            assert not re.search(r"\w: *$|for *$|of *$", text, flags=re.MULTILINE)
        assert "\n\n\n" not in words.text

    @pytest.mark.parametrize("template", ["booking_confirmed", "booking_reminder"])
    def test_says_that_time_and_place_are_not_fixed(self, template: str) -> None:
        words = render(unsaved(template, start_time=None, location=None))
        assert "Starts: not fixed\n" in words.text
        assert "Where: not fixed\n" in words.text
        assert Page(words.html).text.count("not fixed") == 2
        assert "calendar" not in words.text + words.html

    @pytest.mark.parametrize("template", FACTS)
    def test_takes_an_empty_text_for_one_that_is_not_known(self, template: str) -> None:
        unknown = {
            name: value for name, value in without_facts(template).items() if isinstance(FACTS[template][name], str)
        }
        empty = dict.fromkeys(unknown, "")
        assert render(unsaved(template, **empty)) == render(unsaved(template, **unknown))

    def test_tells_of_a_booking_that_is_refunded_without_a_ticket(self) -> None:
        words = render(unsaved("refund_processed", ticket_id=None))
        assert words.text.startswith("Your booking for Carmen is refunded.")
        assert "None" not in words.text + words.html
        assert "ticket" not in (words.text + words.html).lower().replace("tickets", "")

    def test_says_one_hour(self) -> None:
        assert "starts in 1 hour (" in render(unsaved("booking_reminder", hours_before=1)).subject

    def test_says_that_a_bundle_is_complete(self) -> None:
        words = render(unsaved("vip_bundle_finalized", success=True, failure_reason=None))
        assert words.subject == "Your VIP bundle for Carmen is complete"
        assert "everything that you asked for is booked" in words.text
        assert "refunded" not in words.text + words.html

    @pytest.mark.parametrize("template", FACTS)
    def test_loads_nothing(self, template: str) -> None:
        html = render(unsaved(template), picture="qr@x").html
        page = Page(html)
        assert not {"script", "link", "iframe", "object", "base", "form", "style"} & set(page.elements)
        sources = [value for name, value in page.attributes if name in {"src", "srcset", "background"}]
        assert sources == (["cid:qr@x"] if template == "ticket_activated" else [])
        assert not re.search(r"@import|url\(|@font-face", html)

    def test_shows_the_picture_with_the_code_as_its_text(self) -> None:
        page = Page(render(unsaved("ticket_activated"), picture="qr@x").html)
        assert ("alt", "ABCD EFGH 2345 6789") in page.attributes

    def test_links_to_the_picture(self) -> None:
        words = render(unsaved("ticket_activated"))
        assert ("href", "https://tickets.example/qr/5f0c3a52") in Page(words.html).attributes
        assert "https://tickets.example/qr/5f0c3a52" in words.text

    def test_links_to_the_bundle_that_is_stuck(self) -> None:
        words, address = render(unsaved("vip_bundle_stuck")), FACTS["vip_bundle_stuck"]["url"]
        assert ("href", address) in Page(words.html).attributes
        assert f"on its page:\n{address}\n" in words.text

    @pytest.mark.parametrize(("template", "name"), [("ticket_activated", "qr_code_url"), ("vip_bundle_stuck", "url")])
    @pytest.mark.parametrize("address", ["javascript:alert(1)", "/qr/5f0c3a52", "", None])
    def test_links_nowhere_else(self, template: str, name: str, address: str | None) -> None:
        facts: dict[str, Any] = {name: address}
        words = render(unsaved(template, **facts))
        assert "a" not in Page(words.html).elements
        assert not re.search("to scan|on its page:", words.text)

    def test_takes_any_language(self) -> None:
        words = render(unsaved("booking_confirmed", title="Zażółć gęślą 😀"))
        for text in (words.subject, words.text, words.html):
            assert "Zażółć gęślą 😀" in text


class TestOneLine:
    @pytest.mark.parametrize(
        ("text", "line"),
        [("a\r\nb", "a b"), ("\ta\x0b\x0c  b\n", "a b"), ("a\x00b\x7fc", "a b c"), ("a\u2028b\u2029c\x85d", "a b c d")],
    )
    def test_has_one_line(self, text: str, line: str) -> None:
        assert one_line(text) == line

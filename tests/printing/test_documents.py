"""The ticket on paper."""

import re
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from printing.documents import TicketDocument, file_name_of, render
from tests.factories import NOON
from tests.tickets_project.test_qr_codes import decoded
from tickets_project.values import Money

NASTY = """</title><script>alert("1")</script><b>'&amp;&"""
TEXTS = ["title", "venue", "holder", "ticket_type", "code", "confirmation_code", "organiser", "contact", "ticket_id"]


def document(**fields: Any) -> TicketDocument:
    defaults: dict[str, Any] = {
        "ticket_id": "5f0c3a52-0c7e-4a57-9a5e-3a2d6b8f1c11",
        "title": "Carmen",
        "venue": "Teatro Real, Madrid",
        "starts_at": NOON,
        "time_zone": "Europe/Madrid",
        "holder": "ada@customers.example",
        "ticket_type": "standard",
        "price": Money(amount=Decimal("85.5"), currency="EUR"),
        "code": "ABCDEFGH23456789",
        "confirmation_code": "KMNPQRSTVW",
        "organiser": "Example Tickets",
        "contact": "help@tickets.example",
    }
    return TicketDocument(**defaults | fields)


class Page(HTMLParser):
    """The elements, attributes and text of a document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


class TestFileNameOf:
    def test_is_the_ticket_s_id_and_what_it_is(self) -> None:
        assert file_name_of("1") == "1-ticket.html"


class TestRender:
    def test_says_all_that_the_door_and_the_holder_need(self) -> None:
        texts = Page(render(document())).texts
        for text in [
            "Carmen",
            "Teatro Real, Madrid",
            "Saturday 2 May 2026, 14:00 (Europe/Madrid, UTC+02:00)",
            "ada@customers.example",
            "standard",
            "85.50 EUR",
            "KMNPQRSTVW",
            "5f0c3a52-0c7e-4a57-9a5e-3a2d6b8f1c11",
            "ABCD EFGH 2345 6789",
        ]:
            assert text in texts
        assert any("Example Tickets" in text and "help@tickets.example" in text for text in texts)

    def test_shows_the_code_for_scanners(self) -> None:
        assert decoded(render(document())) == "ABCDEFGH23456789"

    @pytest.mark.parametrize("field", TEXTS)
    def test_escapes(self, field: str) -> None:
        plain, nasty = Page(render(document())), Page(render(document(**{field: NASTY})))
        assert nasty.elements == plain.elements
        assert "<script" not in render(document(**{field: NASTY}))
        shown = "".join(nasty.texts).replace(" ", "")
        assert NASTY.replace(" ", "") in shown

    def test_escapes_the_currency(self) -> None:
        assert "<script" not in render(document(price=Money(amount=Decimal(1), currency=NASTY)))

    def test_loads_nothing(self) -> None:
        html = render(document())
        page = Page(html)
        assert not {"script", "link", "img", "iframe", "object", "base", "form", "a"} & set(page.elements)
        assert not {"src", "href", "srcset", "action", "style", "xlink:href"} & {name for name, _ in page.attributes}
        assert re.findall(r"(?:https?:)?//[^\s\"')]+", html) == ["http://www.w3.org/2000/svg"]
        assert not re.search(r"@import|url\(|@font-face", html)

    @pytest.mark.parametrize(("length", "is_long"), [(60, False), (61, True)])
    def test_sets_a_long_title_smaller(self, length: int, is_long: bool) -> None:  # noqa: FBT001
        assert (("class", "long") in Page(render(document(title="x" * length))).attributes) is is_long

    def test_declares_its_language_and_encoding(self) -> None:
        html = render(document(title="Zażółć gęślą 😀"))
        assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
        assert '<meta charset="utf-8">' in html
        assert "Zażółć gęślą 😀" in html

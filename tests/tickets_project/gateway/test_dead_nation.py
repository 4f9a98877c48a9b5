"""The client of the vendor against the simulated vendor."""

from collections.abc import Callable
from typing import Any

import pytest

from tickets_project.gateway import dead_nation
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError


def book(number_of_tickets: int = 3) -> None:
    dead_nation.book(
        booking_id="b-1",
        event_id="e-1",
        customer_address="zażółć@example.com",
        number_of_tickets=number_of_tickets,
    )


class TestBook:
    def test_books_with_the_vendor(self, calls: Callable[..., list[dict[str, Any]]]) -> None:
        book()
        assert [(call["method"], call["path"], call["status"]) for call in calls("dead_nation.book")] == [
            ("POST", "/dead-nation-api/ticket/booking", 200)
        ]

    @pytest.mark.usefixtures("simulator")
    def test_may_be_repeated(self) -> None:
        book()
        book()

    @pytest.mark.usefixtures("simulator")
    def test_is_permanent_for_what_the_vendor_refuses(self) -> None:
        with pytest.raises(PermanentUpstreamError, match="number_of_tickets"):
            book(0)

    @pytest.mark.parametrize("body", [b"<p>", b"{}", b'{"booking_id": 1}'])
    def test_is_temporary_for_a_strange_answer(self, answering: Callable[[bytes], None], body: bytes) -> None:
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        with pytest.raises(TemporaryUpstreamError):
            book()

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("dead_nation.book", book)

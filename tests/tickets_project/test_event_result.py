"""Requests that are answered inside the caller's transaction."""

from typing import Any

import pytest
from django.dispatch import Signal

from bookings.errors import NotEnoughTickets
from tickets_project.event_result import EventResult, ask


def handle(**request: Any) -> EventResult:
    return EventResult.done(**{name: value for name, value in request.items() if name not in {"signal", "sender"}})


def refuse(**_request: Any) -> EventResult:
    return EventResult.refused(NotEnoughTickets(seats_left=1))


class TestEventResult:
    def test_says_what_was_done(self) -> None:
        result = EventResult.done(booking="b1")
        assert (result.success, result.data, result.error, result.error_type) == (True, {"booking": "b1"}, None, None)

    def test_says_why_it_was_refused(self) -> None:
        error = NotEnoughTickets(seats_left=1)
        result = EventResult.refused(error)
        assert (result.success, result.data, result.error) == (False, {}, error)
        assert result.error_type == "not_enough_tickets"


class TestAsk:
    def test_returns_the_handler_s_answer(self) -> None:
        signal = Signal()
        signal.connect(handle)
        assert ask(signal, number=7) == EventResult.done(number=7)

    def test_returns_a_refusal(self) -> None:
        signal = Signal()
        signal.connect(refuse)
        assert ask(signal).error_type == "not_enough_tickets"

    def test_needs_one_handler(self) -> None:
        with pytest.raises(LookupError, match="0 are registered"):
            ask(Signal())

    def test_takes_no_more_than_one(self) -> None:
        signal = Signal()
        signal.connect(handle)
        signal.connect(refuse)
        with pytest.raises(LookupError, match="2 are registered"):
            ask(signal)

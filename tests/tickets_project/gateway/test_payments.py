"""The payments client against the simulated payments service."""

from collections.abc import Callable
from typing import Any

import pytest

from tickets_project.gateway import payments
from tickets_project.gateway.errors import TemporaryUpstreamError
from tickets_project.gateway.payments import Refund


def refund(ticket_id: str = "t-1", key: str = "t-1:refund") -> None:
    payments.refund(payment_reference=ticket_id, reason="cancelled", deduplication_id=key)


class TestRefund:
    @pytest.mark.usefixtures("simulator")
    def test_pays_back_once_for_the_same_key(self) -> None:
        refund()
        refund()
        assert payments.refunds() == [
            Refund(payment_reference="t-1", reason="cancelled", deduplication_id="t-1:refund")
        ]

    def test_pays_back_once_when_the_answer_was_lost(self, fault: Callable[..., None]) -> None:
        fault("payments.refund", drop="after")
        with pytest.raises(TemporaryUpstreamError):
            refund()
        refund()
        assert len(payments.refunds()) == 1

    def test_sends_its_key(self, calls: Callable[..., list[dict[str, Any]]]) -> None:
        refund()
        assert [call["idempotency_key"] for call in calls("payments.refund")] == ["t-1:refund"]

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("payments.refund", refund)


class TestRefunds:
    @pytest.mark.usefixtures("simulator")
    def test_returns_all_refunds_in_their_order(self) -> None:
        assert payments.refunds() == []
        refund("t-2", "t-2:refund")
        refund("t-1", "t-1:refund")
        assert [one.payment_reference for one in payments.refunds()] == ["t-2", "t-1"]

    def test_takes_refunds_without_a_key(self, answering: Callable[[bytes], None]) -> None:
        body = b'[{"payment_reference": "t-1", "reason": "x"}]'
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert [one.deduplication_id for one in payments.refunds()] == [None]

    def test_is_temporary_for_a_strange_answer(self, answering: Callable[[bytes], None]) -> None:
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        with pytest.raises(TemporaryUpstreamError):
            payments.refunds()

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("payments.list", payments.refunds)

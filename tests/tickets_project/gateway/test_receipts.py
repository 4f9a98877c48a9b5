"""The receipts client against the simulated receipts service."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from tickets_project.gateway import receipts
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError
from tickets_project.gateway.receipts import IssuedReceipt
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.values import Money

PRICE = Money(amount=Decimal("50.30"), currency="EUR")


def issue(ticket_id: str = "t-1", price: Money = PRICE, key: str = "t-1:receipt") -> IssuedReceipt:
    return receipts.issue(ticket_id=ticket_id, price=price, idempotency_key=key)


def void(ticket_id: str = "t-1", reason: str = "cancelled", key: str = "t-1:void") -> None:
    receipts.void(ticket_id=ticket_id, reason=reason, idempotent_id=key)


class TestIssue:
    @pytest.mark.usefixtures("simulator")
    def test_returns_number_and_time_of_a_new_receipt(self) -> None:
        receipt = issue()
        assert receipt.number == "R-000001"
        assert abs(datetime.now(UTC) - receipt.issued_at) < timedelta(seconds=5)

    def test_sends_strings_under_the_names_of_the_contract(self, simulator: Simulator, http: requests.Session) -> None:
        issue()
        (stored,) = http.get(f"{simulator.url}/receipts-api/receipts").json()
        assert stored["price"] == {"money_amount": "50.30", "money_currency": "EUR"}
        assert (stored["ticket_id"], stored["idempotency_key"]) == ("t-1", "t-1:receipt")

    @pytest.mark.parametrize(
        ("amount", "text"),
        [("0", "0.00"), ("5", "5.00"), ("1E+3", "1000.00"), ("7.5", "7.50"), ("9999999", "9999999.00")],
    )
    def test_spells_every_amount_with_two_decimals(
        self, simulator: Simulator, http: requests.Session, amount: str, text: str
    ) -> None:
        issue(price=Money(amount=Decimal(amount), currency="PLN"))
        (stored,) = http.get(f"{simulator.url}/receipts-api/receipts").json()
        assert stored["price"] == {"money_amount": text, "money_currency": "PLN"}

    @pytest.mark.usefixtures("simulator")
    def test_returns_the_same_receipt_for_the_same_key(self) -> None:
        assert issue() == issue()
        assert len(receipts.listing()) == 1

    def test_issues_once_when_the_answer_was_lost(self, fault: Callable[..., None]) -> None:
        fault("receipts.issue", drop="after")
        with pytest.raises(TemporaryUpstreamError):
            issue()
        assert [receipt.number for receipt in receipts.listing()] == [issue().number]

    @pytest.mark.usefixtures("simulator")
    def test_is_permanent_for_the_key_of_another_ticket(self) -> None:
        issue("t-1", key="shared")
        with pytest.raises(PermanentUpstreamError, match="The key shared was used for the ticket t-1") as caught:
            issue("t-2", key="shared")
        assert caught.value.status == 400

    @pytest.mark.parametrize(
        "body",
        [
            b"{}",
            b'{"number": "R-1"}',
            b'{"number": 1, "issued_at": "2026-01-02T03:04:05Z"}',
            b'{"number": "R-1", "issued_at": "2026-01-02T03:04:05"}',
            b"<html>",
        ],
        ids=["empty", "no time", "number", "no zone", "no json"],
    )
    def test_is_temporary_for_a_strange_answer(self, answering: Callable[[bytes], None], body: bytes) -> None:
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        with pytest.raises(TemporaryUpstreamError):
            issue()

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("receipts.issue", issue)


class TestVoid:
    @pytest.mark.usefixtures("simulator")
    def test_voids_the_receipt_of_the_ticket_alone(self) -> None:
        issue()
        issue("t-2", key="t-2:receipt")
        void()
        assert [(one.ticket_id, one.voided, one.void_reason) for one in receipts.listing()] == [
            ("t-1", True, "cancelled"),
            ("t-2", False, None),
        ]

    def test_sends_its_key(self, calls: Callable[..., list[dict[str, Any]]]) -> None:
        void()
        assert [call["idempotency_key"] for call in calls("receipts.void")] == ["t-1:void"]

    @pytest.mark.usefixtures("simulator")
    def test_succeeds_again_and_keeps_the_first_reason(self) -> None:
        issue()
        void()
        void(reason="again")
        void(reason="under a new key", key="other")
        assert [one.void_reason for one in receipts.listing()] == ["cancelled"]

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("receipts.void", void)


class TestListing:
    @pytest.mark.usefixtures("simulator")
    def test_returns_every_receipt(self) -> None:
        assert receipts.listing() == []
        issued = issue()
        (receipt,) = receipts.listing()
        assert receipt == receipts.Receipt(
            number=issued.number,
            issued_at=issued.issued_at,
            ticket_id="t-1",
            price=PRICE,
            voided=False,
            void_reason=None,
        )

    def test_takes_receipts_that_say_nothing_of_voiding(self, answering: Callable[[bytes], None]) -> None:
        body = (
            b'[{"number": "R-1", "issued_at": "2026-01-02T03:04:05Z", "ticket_id": "t-1",'
            b' "price": {"money_amount": "1.00", "money_currency": "EUR"}}]'
        )
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert [(one.voided, one.void_reason) for one in receipts.listing()] == [(False, None)]

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("receipts.list", receipts.listing)

"""The simulated receipts service."""

from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count

from msgspec import Struct

from tickets_project.gateway.simulator.bodies import Amount, Body, Currency, Text, parse_body
from tickets_project.gateway.simulator.operations import Operation
from tickets_project.gateway.simulator.wire import Answer, Refusal, Request, json_answer


class _Price(Body, frozen=True):
    money_amount: Amount
    money_currency: Currency


class _Issuing(Body, frozen=True):
    ticket_id: Text
    price: _Price
    idempotency_key: Text | None = None


class _Voiding(Body, frozen=True):
    ticket_id: Text
    reason: Text
    idempotent_id: Text | None = None


class _Receipt(Struct):
    number: str
    issued_at: datetime
    ticket_id: str
    price: _Price
    idempotency_key: str | None
    voided: bool = False
    void_reason: str | None = None


class Receipts:
    """Every receipt issued; their numbers go on rising after a reset."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.reset()

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""
        return (
            Operation("receipts.issue", "PUT", "/receipts-api/receipts", self.issue),
            Operation("receipts.void", "PUT", "/receipts-api/void-receipt", self.void),
            Operation("receipts.list", "GET", "/receipts-api/receipts", self.listing),
        )

    def reset(self) -> None:
        """Forget all receipts and keys."""
        self._receipts: list[_Receipt] = []
        self._by_ticket: dict[str, list[_Receipt]] = {}
        self._by_key: dict[str | None, _Receipt] = {}
        self._void_keys: set[str | None] = set()

    def issue(self, request: Request) -> Answer:
        """Issue a receipt, or return the one that was issued under this key; without a key issue a new one."""
        issuing = parse_body(request.body, _Issuing)
        known = self._by_key.get(issuing.idempotency_key)
        if known is None:
            return json_answer(HTTPStatus.CREATED, self._issued(issuing))
        if known.ticket_id != issuing.ticket_id:
            key = issuing.idempotency_key
            raise Refusal(HTTPStatus.BAD_REQUEST, f"The key {key} was used for the ticket {known.ticket_id}.")
        return json_answer(HTTPStatus.OK, known)

    def void(self, request: Request) -> Answer:
        """Void the ticket's receipts, if any; a repeated key changes nothing, and the first reason stays."""
        voiding = parse_body(request.body, _Voiding)
        if voiding.idempotent_id not in self._void_keys:
            for receipt in self._by_ticket.get(voiding.ticket_id, []):
                _void(receipt, voiding.reason)
        if voiding.idempotent_id is not None:
            self._void_keys.add(voiding.idempotent_id)
        return json_answer(HTTPStatus.OK, {})

    def listing(self, _request: Request) -> Answer:
        """Return all receipts, oldest first."""
        return json_answer(HTTPStatus.OK, self._receipts)

    def _issued(self, issuing: _Issuing) -> _Receipt:
        receipt = _Receipt(
            number=f"R-{next(self._numbers):06}",
            issued_at=datetime.now(UTC),
            ticket_id=issuing.ticket_id,
            price=issuing.price,
            idempotency_key=issuing.idempotency_key,
        )
        self._receipts.append(receipt)
        self._by_ticket.setdefault(receipt.ticket_id, []).append(receipt)
        if receipt.idempotency_key is not None:
            self._by_key[receipt.idempotency_key] = receipt
        return receipt


def _void(receipt: _Receipt, reason: str) -> None:
    if not receipt.voided:
        receipt.voided = True
        receipt.void_reason = reason

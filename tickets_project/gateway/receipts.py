"""The receipts service: one receipt per ticket, issued under a key and voided before a refund."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Self

import msgspec

from tickets_project.gateway import client
from tickets_project.values import Money

_SERVICE = "receipts-api"

_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedReceipt:
    """What the service says of a receipt that it has issued, now or at an earlier call."""

    number: str
    issued_at: _Aware


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(IssuedReceipt):
    """One receipt in the service's list."""

    ticket_id: str
    price: Money
    voided: bool
    void_reason: str | None


class _Price(msgspec.Struct):
    """A price as this service spells it (the gateway's contract): strings, under names of its own."""

    money_amount: Decimal
    money_currency: str

    @classmethod
    def of(cls, price: Money) -> Self:
        return cls(Decimal(f"{price.amount:.2f}"), price.currency)

    def money(self) -> Money:
        return Money(amount=self.money_amount, currency=self.money_currency)


class _Listed(msgspec.Struct):
    number: str
    issued_at: _Aware
    ticket_id: str
    price: _Price
    voided: bool = False
    void_reason: str | None = None

    def receipt(self) -> Receipt:
        return Receipt(**{**msgspec.structs.asdict(self), "price": self.price.money()})


def issue(*, ticket_id: str, price: Money, idempotency_key: str) -> IssuedReceipt:
    """Issue a ticket's receipt; under the same key again it is the same receipt.

    A key that was used for another ticket is refused (the gateway's contract), so let it contain the ticket's id.

    :raises PermanentUpstreamError: if the service refuses the receipt, or call() raises it
    :raises TemporaryUpstreamError: as call() and read() do
    """
    body = {"ticket_id": ticket_id, "price": _Price.of(price), "idempotency_key": idempotency_key}
    answer = client.call(
        _SERVICE,
        "PUT",
        "/receipts",
        expected=(HTTPStatus.CREATED, HTTPStatus.OK),
        body=msgspec.json.encode(body),
    )
    return client.read(answer, IssuedReceipt)


def void(*, ticket_id: str, reason: str, idempotent_id: str) -> None:
    """Void a ticket's receipt; the service knows this key as `idempotent_id` (the gateway's contract).

    :raises UpstreamError: as call() does
    """
    body = {"ticket_id": ticket_id, "reason": reason, "idempotent_id": idempotent_id}
    client.call(_SERVICE, "PUT", "/void-receipt", expected=(HTTPStatus.OK,), body=msgspec.json.encode(body))


def listing() -> list[Receipt]:
    """Return all receipts, the voided ones too.

    :raises UpstreamError: as call() and read() do
    """
    answer = client.call(_SERVICE, "GET", "/receipts", expected=(HTTPStatus.OK,))
    return [listed.receipt() for listed in client.read(answer, list[_Listed])]

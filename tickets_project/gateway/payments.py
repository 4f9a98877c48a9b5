"""The payments service: money back to the customer."""

from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from tickets_project.gateway import client

_SERVICE = "payments-api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One refund in the service's list; without a key it can be there twice."""

    payment_reference: str
    reason: str
    deduplication_id: str | None = None


def refund(*, payment_reference: str, reason: str, deduplication_id: str) -> None:
    """Pay a payment back in full; under the same key again nothing more is paid.

    The payment reference is the ticket's id, and the service takes no amount (the gateway's contract).

    :raises UpstreamError: as call() does
    """
    body = Refund(payment_reference=payment_reference, reason=reason, deduplication_id=deduplication_id)
    client.call(_SERVICE, "PUT", "/refunds", expected=(HTTPStatus.OK,), body=msgspec.json.encode(body))


def refunds() -> list[Refund]:
    """Return all refunds.

    :raises UpstreamError: as call() and read() do
    """
    return client.read(client.call(_SERVICE, "GET", "/refunds", expected=(HTTPStatus.OK,)), list[Refund])

"""The simulated payments service."""

from http import HTTPStatus

from tickets_project.gateway.simulator.bodies import Body, Text, parse_body
from tickets_project.gateway.simulator.operations import Operation
from tickets_project.gateway.simulator.wire import Answer, Request, json_answer


class _Refund(Body, frozen=True):
    payment_reference: Text
    reason: Text
    deduplication_id: Text | None = None


class Payments:
    """Every refund made; only its key keeps a refund from being made again."""

    def __init__(self) -> None:
        self._refunds: list[_Refund] = []
        self._keys: set[str | None] = set()

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""
        return (
            Operation("payments.refund", "PUT", "/payments-api/refunds", self.refund),
            Operation("payments.list", "GET", "/payments-api/refunds", self.listing),
        )

    def reset(self) -> None:
        """Forget all refunds and keys."""
        self._refunds.clear()
        self._keys.clear()

    def refund(self, request: Request) -> Answer:
        """Make a refund, unless one was made under this key."""
        refund = parse_body(request.body, _Refund)
        if refund.deduplication_id not in self._keys:
            self._refunds.append(refund)
        if refund.deduplication_id is not None:
            self._keys.add(refund.deduplication_id)
        return json_answer(HTTPStatus.OK, {})

    def listing(self, _request: Request) -> Answer:
        """Return all refunds, oldest first."""
        return json_answer(HTTPStatus.OK, self._refunds)

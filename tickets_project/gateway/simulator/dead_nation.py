"""The simulated vendor's bookings."""

from http import HTTPStatus

from tickets_project.gateway.simulator.bodies import parse_body
from tickets_project.gateway.simulator.operations import Operation
from tickets_project.gateway.simulator.vendor import Booking, Vendor
from tickets_project.gateway.simulator.wire import Answer, Request, json_answer


class DeadNation:
    """Every booking taken; the same booking_id again is the same booking, whatever else it says (our assumption)."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._booking_ids: set[str] = set()

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""
        return (Operation("dead_nation.book", "POST", "/dead-nation-api/ticket/booking", self.book),)

    def reset(self) -> None:
        """Forget all bookings, and what the vendor was told and still wanted to do."""
        self._booking_ids.clear()
        self._vendor.reset()

    def book(self, request: Request) -> Answer:
        """Take a booking; the vendor tells of its tickets afterwards."""
        booking = parse_body(request.body, Booking)
        if booking.booking_id not in self._booking_ids:
            self._booking_ids.add(booking.booking_id)
            self._vendor.sell(booking)
        return json_answer(HTTPStatus.OK, {"booking_id": booking.booking_id})

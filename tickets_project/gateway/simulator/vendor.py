"""The simulated vendor: which tickets it sells, and what it tells our webhook about them.

`POST /_simulator/vendor` sets the behaviour for the bookings that follow. A field that is left out stays as it is, and
the reset brings the defaults back.

- `callback`: `once` (the default), `twice` (the same body under two keys), `late` (after `delay_ms`),
  `cancelled_first` (each ticket `canceled`, then `confirmed`), `cancelled` (`confirmed`, then `canceled`) or `never`;
- `delay_ms`: how long `late` waits, in milliseconds (1000);
- `extra_tickets`: how many tickets more than booked there are (0);
- `price`: what each ticket costs, `{"amount": "10.00", "currency": "EUR"}` by default.

Of the event SILENT_EVENT_ID no callback ever tells.

`GET /_simulator/vendor` answers the behaviour. `GET /_simulator/vendor/callbacks` answers `{"callbacks": […]}`, oldest
first: `idempotency_key`, `tickets`, `tries` and the `status` of the latest answer, null when there was none.
"""

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import uuid4

from msgspec import Meta, Raw, json
from msgspec.structs import asdict

from tickets_project.gateway.simulator.bodies import Amount, Body, Currency, Text, parse_body
from tickets_project.gateway.simulator.control import PREFIX
from tickets_project.gateway.simulator.operations import Operation
from tickets_project.gateway.simulator.vendor_webhook import VendorWebhook
from tickets_project.gateway.simulator.wire import Answer, Request, json_answer

SILENT_EVENT_ID = "00000000-0000-4000-8000-00000000d000"
"""The event of which the vendor takes every booking and never says more, for all who want to see somebody wait."""

_MOST_TICKETS = 10_000

# What the callbacks about a booking say, in their order.
_STATUSES = {
    "once": ("confirmed",),
    "twice": ("confirmed", "confirmed"),
    "late": ("confirmed",),
    "cancelled_first": ("canceled", "confirmed"),
    "cancelled": ("confirmed", "canceled"),
    "never": (),
}


class Booking(Body, frozen=True):
    """What is booked with the vendor."""

    booking_id: Text
    event_id: Text
    customer_address: Text
    number_of_tickets: Annotated[int, Meta(ge=1, le=_MOST_TICKETS)]


class Price(Body, frozen=True):
    """A price as our webhook takes it."""

    amount: Amount
    currency: Currency


class Behaviour(Body, frozen=True):
    """What follows a booking, as the module says."""

    callback: Literal["once", "twice", "late", "cancelled_first", "cancelled", "never"] = "once"
    delay_ms: Annotated[int, Meta(ge=0, le=60_000)] = 1000
    extra_tickets: Annotated[int, Meta(ge=0, le=_MOST_TICKETS)] = 0
    price: Price = Price(amount="10.00", currency="EUR")


class Vendor:
    """Sells the tickets of each booking as it was told to behave."""

    def __init__(self, webhook: VendorWebhook) -> None:
        self._webhook = webhook
        self._behaviour = Behaviour()

    def controls(self) -> tuple[Operation, ...]:
        """Return the table of its control routes."""
        return (
            Operation("vendor.change", "POST", f"{PREFIX}vendor", self.change),
            Operation("vendor.show", "GET", f"{PREFIX}vendor", self.show),
            Operation("vendor.callbacks", "GET", f"{PREFIX}vendor/callbacks", self.callbacks),
        )

    def reset(self) -> None:
        """Behave as by default again, and call back no more about earlier bookings."""
        self._behaviour = Behaviour()
        self._webhook.reset()

    def change(self, request: Request) -> Answer:
        """Change the fields that the body has."""
        changes = parse_body(request.body, dict[str, Raw])
        self._behaviour = parse_body(json.encode(asdict(self._behaviour) | changes), Behaviour)
        return self.show(request)

    def show(self, _request: Request) -> Answer:
        """Return the behaviour."""
        return json_answer(HTTPStatus.OK, self._behaviour)

    def callbacks(self, _request: Request) -> Answer:
        """Return the callbacks that were made."""
        return json_answer(HTTPStatus.OK, {"callbacks": list(self._webhook.made)})

    def sell(self, booking: Booking) -> None:
        """Make a ticket per seat, and have our webhook told."""
        behaviour = self._behaviour
        callback = "never" if booking.event_id == SILENT_EVENT_ID else behaviour.callback
        tickets = [
            _ticket(booking, behaviour.price) for _ in range(booking.number_of_tickets + behaviour.extra_tickets)
        ]
        self._webhook.tell(
            [[{**ticket, "status": status} for ticket in tickets] for status in _STATUSES[callback]],
            delay=behaviour.delay_ms / 1000 if callback == "late" else 0,
        )


def _ticket(booking: Booking, price: Price) -> dict[str, object]:
    return {
        "ticket_id": str(uuid4()),
        "booking_id": booking.booking_id,
        "customer_email": booking.customer_address,
        "price": price,
    }

"""Dead Nation, the vendor that sells some shows: bookings go there, tickets come back by the vendor webhook."""

from http import HTTPStatus

import msgspec

from tickets_project.gateway import client

_SERVICE = "dead-nation-api"


class _Booked(msgspec.Struct):
    booking_id: str


def book(*, booking_id: str, event_id: str, customer_address: str, number_of_tickets: int) -> None:
    """Pass a booking on to the vendor, who later calls our webhook with one ticket per seat (the gateway's contract).

    The contract names no key; that the vendor takes a repeated booking_id for the same booking is our assumption.

    :param event_id: the show's id at the vendor, its `dead_nation_id`
    :param customer_address: the customer's e-mail address
    :raises UpstreamError: as call() and read() do
    """
    body = {
        "booking_id": booking_id,
        "event_id": event_id,
        "customer_address": customer_address,
        "number_of_tickets": number_of_tickets,
    }
    answer = client.call(_SERVICE, "POST", "/ticket/booking", expected=(HTTPStatus.OK,), body=msgspec.json.encode(body))
    client.read(answer, _Booked)

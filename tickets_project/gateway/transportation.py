"""The transportation service: seats on flights and taxis, booked under keys of ours, and cancelled one by one.

It ignores every repeat of a key that has booked, *whatever its body* (the gateway's contract): each flight and each
taxi needs a key of its own, and whoever tries again uses the same one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

import msgspec
import requests
import structlog

from tickets_project.gateway import client
from tickets_project.gateway.errors import unlisted_answer

_SERVICE = "transportation-api"
_FLIGHTS = "/flight-tickets"
_TAXIS = "/taxi-booking"
_LONGEST_REASON = 300

# A UUID in the contract; whatever it is, it has to come back in a URL, spelled as it was given.
_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,100}\Z")]

_log = structlog.get_logger(__name__)


class NoSeatsLeft(Exception):
    """The flight has no seats left for all passengers (the service's 409)."""


class NoTaxiAvailable(Exception):
    """No taxi is to be had (the service's 409)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightTicket:
    """One passenger's seat in the service's list."""

    ticket_id: str
    flight_id: str
    passenger_name: str
    reference_id: str
    cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxiBooking:
    """One taxi in the service's list."""

    booking_id: str
    passenger_name: str
    number_of_passengers: int
    reference_id: str
    cancelled: bool


class _FlightBooked(msgspec.Struct):
    ticket_ids: list[_Id]


class _TaxiBooked(msgspec.Struct):
    booking_id: _Id


def book_flight(
    *, customer_email: str, flight_id: str, passenger_names: list[str], reference_id: str, idempotency_key: str
) -> list[str]:
    """Book a seat for each passenger, or none, and return the tickets' ids; under the same key again the same ones.

    :raises NoSeatsLeft: with a sentence for customers, if the service says so; nothing else means that
    :raises PermanentUpstreamError: if the service refuses the booking, or call() raises it
    :raises TemporaryUpstreamError: as call() and read() do, and if there are not as many tickets as passengers
    """
    body = {
        "customer_email": customer_email,
        "flight_id": flight_id,
        "passenger_names": passenger_names,
        "reference_id": reference_id,
        "idempotency_key": idempotency_key,
    }
    answer = _book(_FLIGHTS, body)
    if answer.status_code == HTTPStatus.CONFLICT:
        _log_refusal(answer, flight_id=flight_id)
        raise NoSeatsLeft("The flight has no seats left for all passengers.")
    ticket_ids = client.read(answer, _FlightBooked).ticket_ids
    if len(ticket_ids) != len(passenger_names):
        reason = f"{len(ticket_ids)} tickets for {len(passenger_names)} passengers"
        raise unlisted_answer(f"PUT {_SERVICE}{_FLIGHTS}", answer.status_code, answer.content, reason)
    return ticket_ids


def cancel_flight_ticket(ticket_id: str) -> None:
    """Cancel one passenger's ticket; one that is cancelled already counts as done.

    :raises UpstreamError: as call() does
    :raises ValueError: if no URL can hold the id
    """
    if not _cancel(_FLIGHTS, ticket_id):
        _log.info("flight_ticket_already_cancelled", ticket_id=ticket_id)


def flight_tickets() -> list[FlightTicket]:
    """Return all flight tickets, the cancelled ones too.

    :raises UpstreamError: as call() and read() do
    """
    return client.read(client.call(_SERVICE, "GET", _FLIGHTS, expected=(HTTPStatus.OK,)), list[FlightTicket])


def book_taxi(
    *,
    customer_email: str,
    passenger_name: str,
    number_of_passengers: int,
    reference_id: str,
    idempotency_key: str,
) -> str:
    """Book one taxi for all passengers and return the booking's id; under the same key again the same one.

    :raises NoTaxiAvailable: with a sentence for customers, if the service says so; nothing else means that
    :raises PermanentUpstreamError: if the service refuses the booking, or call() raises it
    :raises TemporaryUpstreamError: as call() and read() do
    """
    body = {
        "customer_email": customer_email,
        "passenger_name": passenger_name,
        "number_of_passengers": number_of_passengers,
        "reference_id": reference_id,
        "idempotency_key": idempotency_key,
    }
    answer = _book(_TAXIS, body)
    if answer.status_code == HTTPStatus.CONFLICT:
        _log_refusal(answer)
        raise NoTaxiAvailable("No taxi is to be had.")
    return client.read(answer, _TaxiBooked).booking_id


def cancel_taxi(taxi_booking_id: str) -> None:
    """Cancel a taxi; one that is cancelled already counts as done.

    :raises UpstreamError: as call() does
    :raises ValueError: if no URL can hold the id
    """
    if not _cancel(_TAXIS, taxi_booking_id):
        _log.info("taxi_already_cancelled", booking_id=taxi_booking_id)


def taxi_bookings() -> list[TaxiBooking]:
    """Return all taxi bookings, the cancelled ones too.

    :raises UpstreamError: as call() and read() do
    """
    return client.read(client.call(_SERVICE, "GET", _TAXIS, expected=(HTTPStatus.OK,)), list[TaxiBooking])


def _book(path: str, body: Mapping[str, object]) -> requests.Response:
    expected = (HTTPStatus.CREATED, HTTPStatus.CONFLICT)
    return client.call(_SERVICE, "PUT", path, expected=expected, body=msgspec.json.encode(body))


def _cancel(path: str, booked_id: str) -> bool:
    """Return False for what was cancelled before: a 404 (the gateway's contract)."""
    expected = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
    answer = client.call(_SERVICE, "DELETE", f"{path}/{client.path_segment(booked_id)}", expected=expected)
    return answer.status_code == HTTPStatus.NO_CONTENT


def _log_refusal(answer: requests.Response, **about: str) -> None:
    """Log the service's own words, which are not for customers."""
    words = answer.content[:_LONGEST_REASON].decode(errors="replace")
    _log.info("transport_refused", answer=words, **about)

"""The transport commands: flights and taxis are booked and cancelled at the transportation service."""

from functools import partial

from tickets_project.gateway import transportation
from tickets_project.gateway.errors import PermanentUpstreamError
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.subscriptions import Recording
from vip_bundles.commands import BookFlight, BookTaxi, CancelFlightTickets, CancelTaxi
from vip_bundles.events import FlightBookedV1, FlightBookingFailedV1, TaxiBookedV1, TaxiBookingFailedV1


def book_flight(message: BookFlight) -> Recording:
    """Book a seat for each passenger; only a flight without seats is a failure, all else is tried again."""
    try:
        ticket_ids = transportation.book_flight(
            customer_email=message.customer_email,
            flight_id=message.to_flight_id,
            passenger_names=message.passengers,
            reference_id=message.reference_id,
            idempotency_key=message.idempotency_key,
        )
    except transportation.NoSeatsLeft as refusal:
        return partial(
            publish,
            FlightBookingFailedV1(
                flight_id=message.to_flight_id, failure_reason=str(refusal), reference_id=message.reference_id
            ),
        )
    return partial(
        publish,
        FlightBookedV1(
            flight_id=message.to_flight_id, flight_tickets_ids=ticket_ids, reference_id=message.reference_id
        ),
    )


def book_taxi(message: BookTaxi) -> Recording:
    """Book a taxi; only that none is to be had is a failure, all else is tried again."""
    try:
        taxi_booking_id = transportation.book_taxi(
            customer_email=message.customer_email,
            passenger_name=message.customer_name,
            number_of_passengers=message.number_of_passengers,
            reference_id=message.reference_id,
            idempotency_key=message.idempotency_key,
        )
    except transportation.NoTaxiAvailable as refusal:
        failed = TaxiBookingFailedV1(failure_reason=str(refusal), reference_id=message.reference_id)
        return partial(publish, failed)
    return partial(publish, TaxiBookedV1(taxi_booking_id=taxi_booking_id, reference_id=message.reference_id))


def cancel_flight_tickets(message: CancelFlightTickets) -> None:
    """Cancel each ticket; what fails is tried again, those that are cancelled already included.

    :raises PermanentUpstreamError: if the service refuses one for good; the others are cancelled nevertheless
    """
    refused: list[PermanentUpstreamError] = []
    for ticket_id in message.flight_ticket_id:
        try:
            transportation.cancel_flight_ticket(ticket_id)
        except PermanentUpstreamError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def cancel_taxi(message: CancelTaxi) -> None:
    """Cancel the taxi."""
    transportation.cancel_taxi(message.taxi_booking_id)

"""The transportation service: seats on flights and taxis, booked under keys of ours, and cancelled one by one."""


class NoSeatsLeft(Exception):
    """The flight has no seats left for all passengers (the service's 409)."""


class NoTaxiAvailable(Exception):
    """No taxi is to be had (the service's 409)."""


def book_flight(
    *, customer_email: str, flight_id: str, passenger_names: list[str], reference_id: str, idempotency_key: str
) -> list[str]:
    raise NotImplementedError


def book_taxi(
    *,
    customer_email: str,
    passenger_name: str,
    number_of_passengers: int,
    reference_id: str,
    idempotency_key: str,
) -> str:
    raise NotImplementedError


def cancel_flight_ticket(ticket_id: str) -> None:
    raise NotImplementedError


def cancel_taxi(taxi_booking_id: str) -> None:
    raise NotImplementedError

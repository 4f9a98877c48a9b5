"""What the process manager asks of the transportation service. `reference_id` is the bundle's id."""

from dataclasses import dataclass
from typing import ClassVar

from tickets_project.outbox.messages import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFlight(Command):
    """Book a seat for each passenger; under the same key again it is the same booking."""

    NAME: ClassVar[str] = "BookFlight"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "reference_id")

    customer_email: str
    to_flight_id: str
    passengers: list[str]
    reference_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTaxi(Command):
    """Book one taxi for all passengers, in the name of the first; under the same key again it is the same booking."""

    NAME: ClassVar[str] = "BookTaxi"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "reference_id")

    customer_email: str
    customer_name: str
    number_of_passengers: int
    reference_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelFlightTickets(Command):
    """Cancel each of these flight tickets; one that is cancelled already counts as done."""

    NAME: ClassVar[str] = "CancelFlightTickets"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "reference_id")

    # Singular with a list as its value, as the contract has it.
    flight_ticket_id: list[str]
    reference_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTaxi(Command):
    """Cancel a taxi; one that is cancelled already counts as done."""

    NAME: ClassVar[str] = "CancelTaxi"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "reference_id")

    taxi_booking_id: str
    reference_id: str

"""The simulated transportation service over real HTTP: flights with seats that run out, and taxis."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import requests

from tickets_project.gateway.simulator.server import Simulator
from tickets_project.gateway.simulator.transportation import SOLD_OUT_FLIGHT

FLIGHT = {
    "customer_email": "a@example.com",
    "flight_id": "f-1",
    "passenger_names": ["Ada", "Bo"],
    "reference_id": "r-1",
    "idempotency_key": "k-1",
}
TAXI = {
    "customer_email": "a@example.com",
    "passenger_name": "Ada",
    "number_of_passengers": 2,
    "reference_id": "r-1",
    "idempotency_key": "k-1",
}


class Client:
    """Short names for what the tests ask of a simulator."""

    def __init__(self, simulator: Simulator, http: requests.Session) -> None:
        self.url = simulator.url
        self.http = http

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.http.request(method, self.url + path, json=body)

    def reset(self) -> None:
        assert self.ask("POST", "/_simulator/reset").status_code == 204

    def fly(self, **changes: object) -> requests.Response:
        return self.ask("PUT", "/transportation-api/flight-tickets", FLIGHT | changes)

    def cancel_flight(self, ticket_id: str) -> requests.Response:
        return self.ask("DELETE", f"/transportation-api/flight-tickets/{ticket_id}")

    def flights(self) -> Any:
        return self.ask("GET", "/transportation-api/flight-tickets").json()

    def give_seats(self, seats: object, flight_id: str = "f-1") -> requests.Response:
        return self.ask("PUT", f"/_simulator/flights/{flight_id}", {"seats": seats})

    def seats(self, flight_id: str = "f-1") -> Any:
        return self.ask("GET", f"/_simulator/flights/{flight_id}").json()

    def ride(self, **changes: object) -> requests.Response:
        return self.ask("PUT", "/transportation-api/taxi-booking", TAXI | changes)

    def cancel_taxi(self, booking_id: str) -> requests.Response:
        return self.ask("DELETE", f"/transportation-api/taxi-booking/{booking_id}")

    def rides(self) -> Any:
        return self.ask("GET", "/transportation-api/taxi-booking").json()

    def give_taxis(self, available: object) -> requests.Response:
        return self.ask("PUT", "/_simulator/taxis", {"available": available})

    def taxis(self) -> Any:
        return self.ask("GET", "/_simulator/taxis").json()


@pytest.fixture
def client(simulator: Simulator, http: requests.Session) -> Client:
    return Client(simulator, http)


class TestFlights:
    def test_answers_201_with_a_ticket_per_passenger(self, client: Client) -> None:
        answer = client.fly()
        assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
        [first, second] = answer.json().pop("ticket_ids")
        assert [str(UUID(ticket_id)) for ticket_id in (first, second)] == [first, second]
        fields = {name: value for name, value in FLIGHT.items() if name != "passenger_names"} | {"cancelled": False}
        assert client.flights() == [
            {"ticket_id": first, "passenger_name": "Ada", **fields},
            {"ticket_id": second, "passenger_name": "Bo", **fields},
        ]

    @pytest.mark.parametrize("changes", [{}, {"flight_id": "f-2"}, {"passenger_names": ["Cy"], "reference_id": "r-2"}])
    def test_ignores_a_used_key_whatever_its_body(self, client: Client, changes: dict[str, object]) -> None:
        first = client.fly()
        again = client.fly(**changes)
        assert (again.status_code, again.json()) == (201, first.json())
        assert [ticket["passenger_name"] for ticket in client.flights()] == ["Ada", "Bo"]
        assert client.seats("f-2")["free"] == 100

    def test_answers_a_used_key_also_when_no_seats_are_left(self, client: Client) -> None:
        client.give_seats(2)
        first = client.fly()
        assert client.fly().json() == first.json()

    def test_answers_a_used_key_also_when_its_tickets_are_cancelled(self, client: Client) -> None:
        first = client.fly().json()
        for ticket_id in first["ticket_ids"]:
            client.cancel_flight(ticket_id)
        assert client.fly().json() == first
        assert [ticket["cancelled"] for ticket in client.flights()] == [True, True]

    def test_answers_409_when_not_all_find_a_seat(self, client: Client) -> None:
        client.give_seats(3)
        client.fly()
        answer = client.fly(idempotency_key="k-2")
        assert (answer.status_code, answer.json()) == (409, {"error": "Seats left on the flight f-1: 1, wanted: 2."})
        assert (len(client.flights()), client.seats()) == (2, {"seats": 3, "free": 1})
        assert client.fly(idempotency_key="k-2", passenger_names=["Cy"]).status_code == 201

    def test_uses_no_key_up_by_a_refusal(self, client: Client) -> None:
        client.give_seats(1)
        assert client.fly().status_code == 409
        assert client.fly(passenger_names=[]).status_code == 400
        client.give_seats(2)
        assert client.fly().status_code == 201

    def test_has_100_seats_on_each_flight(self, client: Client) -> None:
        names = [f"Passenger {number}" for number in range(100)]
        assert client.fly(passenger_names=[*names, "Ada"]).status_code == 409
        assert client.fly(passenger_names=names).status_code == 201
        assert client.fly(passenger_names=["Ada"], idempotency_key="k-2").status_code == 409
        assert client.fly(flight_id="f-2", idempotency_key="k-3").status_code == 201
        assert (client.seats(), client.seats("f-2")) == ({"seats": 100, "free": 0}, {"seats": 100, "free": 98})

    def test_has_a_flight_that_is_sold_out(self, client: Client) -> None:
        assert str(UUID(SOLD_OUT_FLIGHT)) == SOLD_OUT_FLIGHT
        assert client.fly(flight_id=SOLD_OUT_FLIGHT, passenger_names=["Ada"]).status_code == 409
        assert client.seats(SOLD_OUT_FLIGHT) == {"seats": 0, "free": 0}

    def test_frees_the_seat_of_a_cancelled_ticket(self, client: Client) -> None:
        client.give_seats(2)
        [first, second] = client.fly().json()["ticket_ids"]
        answer = client.cancel_flight(first)
        assert (answer.status_code, answer.content) == (204, b"")
        assert [ticket["cancelled"] for ticket in client.flights()] == [True, False]
        assert client.fly(idempotency_key="k-2", passenger_names=["Cy"]).status_code == 201
        assert client.cancel_flight(second).status_code == 204

    def test_answers_404_for_a_ticket_that_is_cancelled_or_unknown(self, client: Client) -> None:
        [first, _second] = client.fly().json()["ticket_ids"]
        client.cancel_flight(first)
        for ticket_id in (first, "unknown"):
            answer = client.cancel_flight(ticket_id)
            assert (answer.status_code, answer.json()) == (
                404,
                {"error": f"There is no ticket {ticket_id}, or it is cancelled."},
            )
        assert client.seats()["free"] == 99

    def test_may_have_fewer_seats_than_tickets(self, client: Client) -> None:
        [first, _second] = client.fly().json()["ticket_ids"]
        assert client.give_seats(1).json() == {"seats": 1, "free": 0}
        client.cancel_flight(first)
        assert client.seats() == {"seats": 1, "free": 0}

    def test_has_given_the_seats_to_a_caller_who_hung_up(self, client: Client, fault: Callable[..., None]) -> None:
        client.give_seats(2)
        fault("flights.book", delay_ms=3000)
        with pytest.raises(requests.ReadTimeout):
            client.http.put(f"{client.url}/transportation-api/flight-tickets", json=FLIGHT, timeout=1)
        assert client.fly(idempotency_key="k-2").status_code == 409
        assert client.fly().status_code == 201
        assert len(client.flights()) == 2

    def test_are_as_at_first_after_a_reset(self, client: Client) -> None:
        client.give_seats(5)
        client.give_seats(5, SOLD_OUT_FLIGHT)
        first = client.fly().json()
        client.reset()
        assert client.flights() == []
        assert (client.seats(), client.seats(SOLD_OUT_FLIGHT)) == ({"seats": 100, "free": 100}, {"seats": 0, "free": 0})
        assert client.fly().json() != first

    @pytest.mark.parametrize("seats", [-1, 1.5, "2", None, True, 1_000_001])
    def test_take_a_number_of_seats_alone(self, client: Client, seats: object) -> None:
        answer = client.give_seats(seats)
        assert answer.status_code == 400
        assert "at `$.seats`" in answer.json()["error"]
        assert client.seats() == {"seats": 100, "free": 100}


class TestTaxis:
    def test_answers_201_with_the_booking(self, client: Client) -> None:
        answer = client.ride()
        booking_id = answer.json()["booking_id"]
        assert (answer.status_code, answer.json()) == (201, {"booking_id": str(UUID(booking_id))})
        assert client.rides() == [{**TAXI, "booking_id": booking_id, "cancelled": False}]

    def test_ignores_a_used_key_whatever_its_body(self, client: Client) -> None:
        client.give_taxis(1)
        first = client.ride()
        again = client.ride(passenger_name="Bo", reference_id="r-2")
        assert (again.status_code, again.json()) == (201, first.json())
        assert [booking["passenger_name"] for booking in client.rides()] == ["Ada"]

    def test_keeps_the_keys_of_flights_and_taxis_apart(self, client: Client) -> None:
        assert client.fly().status_code == 201
        assert client.ride().status_code == 201
        assert len(client.rides()) == 1

    def test_has_any_number_of_them(self, client: Client) -> None:
        assert client.taxis() == {"available": None}
        assert [client.ride(idempotency_key=f"k-{number}").status_code for number in range(120)] == [201] * 120
        assert client.taxis() == {"available": None}

    def test_answers_409_when_none_is_left(self, client: Client) -> None:
        assert client.give_taxis(1).json() == {"available": 1}
        client.ride()
        answer = client.ride(idempotency_key="k-2")
        assert (answer.status_code, answer.json()) == (409, {"error": "No taxi is available."})
        assert (len(client.rides()), client.taxis()) == (1, {"available": 0})
        client.give_taxis(None)
        assert client.ride(idempotency_key="k-2").status_code == 201

    def test_has_a_cancelled_taxi_again(self, client: Client) -> None:
        client.give_taxis(1)
        booking_id = client.ride().json()["booking_id"]
        assert client.cancel_taxi(booking_id).status_code == 204
        assert [booking["cancelled"] for booking in client.rides()] == [True]
        assert client.ride(idempotency_key="k-2").status_code == 201

    def test_answers_404_for_a_booking_that_is_cancelled_or_unknown(self, client: Client) -> None:
        client.give_taxis(1)
        booking_id = client.ride().json()["booking_id"]
        client.cancel_taxi(booking_id)
        for unknown in (booking_id, "unknown"):
            answer = client.cancel_taxi(unknown)
            assert (answer.status_code, answer.json()) == (
                404,
                {"error": f"There is no booking {unknown}, or it is cancelled."},
            )
        assert client.taxis() == {"available": 1}

    def test_are_as_at_first_after_a_reset(self, client: Client) -> None:
        client.give_taxis(1)
        first = client.ride().json()
        client.reset()
        assert (client.rides(), client.taxis()) == ([], {"available": None})
        assert client.ride().json() != first

    @pytest.mark.parametrize("available", [-1, 1.5, "2", True, 1_000_001])
    def test_take_a_number_or_null_alone(self, client: Client, available: object) -> None:
        answer = client.give_taxis(available)
        assert answer.status_code == 400
        assert "at `$.available`" in answer.json()["error"]
        assert client.taxis() == {"available": None}


class TestBodies:
    @pytest.mark.parametrize(
        ("path", "body"), [("flight-tickets", FLIGHT), ("taxi-booking", TAXI)], ids=["flight", "taxi"]
    )
    def test_must_have_the_fields_and_no_others(self, client: Client, path: str, body: dict[str, object]) -> None:
        path = f"/transportation-api/{path}"
        for name in body:
            answer = client.ask("PUT", path, {other: body[other] for other in body.keys() - {name}})
            assert (answer.status_code, answer.json()) == (400, {"error": f"Object missing required field `{name}`."})
            answer = client.ask("PUT", path, body | {name: True})
            assert answer.status_code == 400
            assert f"got `bool` - at `$.{name}`." in answer.json()["error"]
        answer = client.ask("PUT", path, body | {"seat": "1A"})
        assert (answer.status_code, answer.json()) == (400, {"error": "Object contains unknown field `seat`."})
        assert (client.flights(), client.rides()) == ([], [])

    @pytest.mark.parametrize(
        ("field", "value"),
        [("passenger_names", []), ("passenger_names", [""]), ("flight_id", ""), ("idempotency_key", "")],
    )
    def test_must_hold_what_makes_sense_for_a_flight(self, client: Client, field: str, value: object) -> None:
        answer = client.fly(**{field: value})
        assert answer.status_code == 400
        assert f"at `$.{field}" in answer.json()["error"]

    @pytest.mark.parametrize(("field", "value"), [("number_of_passengers", 0), ("passenger_name", "")])
    def test_must_hold_what_makes_sense_for_a_taxi(self, client: Client, field: str, value: object) -> None:
        answer = client.ride(**{field: value})
        assert answer.status_code == 400
        assert f"at `$.{field}`" in answer.json()["error"]


class TestFaults:
    @pytest.mark.parametrize("operation", ["flights.book", "flights.cancel", "flights.list"])
    def test_strike_a_flight_s_operation(self, client: Client, fault: Callable[..., None], operation: str) -> None:
        [first, _second] = client.fly().json()["ticket_ids"]
        fault(operation, status=500)
        answers = {
            "flights.book": lambda: client.fly(idempotency_key="k-2"),
            "flights.cancel": lambda: client.cancel_flight(first),
            "flights.list": lambda: client.ask("GET", "/transportation-api/flight-tickets"),
        }
        assert answers[operation]().status_code == 500
        assert [ticket["cancelled"] for ticket in client.flights()] == [False, False]

    @pytest.mark.parametrize("operation", ["taxis.book", "taxis.cancel", "taxis.list"])
    def test_strike_a_taxi_s_operation(self, client: Client, fault: Callable[..., None], operation: str) -> None:
        booking_id = client.ride().json()["booking_id"]
        fault(operation, status=500)
        answers = {
            "taxis.book": lambda: client.ride(idempotency_key="k-2"),
            "taxis.cancel": lambda: client.cancel_taxi(booking_id),
            "taxis.list": lambda: client.ask("GET", "/transportation-api/taxi-booking"),
        }
        assert answers[operation]().status_code == 500
        assert [booking["cancelled"] for booking in client.rides()] == [False]

    def test_do_not_strike_the_controls(self, client: Client) -> None:
        body = {"operation": "flights.change", "count": 1, "status": 500}
        assert client.ask("POST", "/_simulator/faults", body).status_code == 400


class TestCalls:
    def test_are_logged_with_their_keys(self, client: Client, calls: Callable[..., list[dict[str, Any]]]) -> None:
        [first, _second] = client.fly(idempotency_key="k-f").json()["ticket_ids"]
        client.cancel_flight(first)
        client.ride(idempotency_key="k-t")
        assert [(call["idempotency_key"], call["status"]) for call in calls("flights.book")] == [("k-f", 201)]
        assert [call["path"] for call in calls("flights.cancel")] == [f"/transportation-api/flight-tickets/{first}"]
        assert [(call["idempotency_key"], call["status"]) for call in calls("taxis.book")] == [("k-t", 201)]

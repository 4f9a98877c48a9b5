"""The simulator over real HTTP: receipts, payments, spreadsheets, and what the vendor takes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tickets_project.gateway.simulator.server import Simulator

PRICE = {"money_amount": "50.30", "money_currency": "EUR"}
RECEIPT = {"ticket_id": "t-1", "price": PRICE, "idempotency_key": "k-1"}
VOIDING = {"ticket_id": "t-1", "reason": "cancelled", "idempotent_id": "v-1"}
REFUND = {"payment_reference": "t-1", "reason": "cancelled", "deduplication_id": "d-1"}
BOOKING = {"booking_id": "b-1", "event_id": "e-1", "customer_address": "a@example.com", "number_of_tickets": 2}


class Client:
    """Short names for what the tests ask of a simulator."""

    def __init__(self, simulator: Simulator, http: requests.Session) -> None:
        self.url = simulator.url
        self.http = http

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.http.request(method, self.url + path, json=body)

    def issue(self, **changes: object) -> requests.Response:
        return self.ask("PUT", "/receipts-api/receipts", without_none(RECEIPT | changes))

    def void(self, **changes: object) -> requests.Response:
        return self.ask("PUT", "/receipts-api/void-receipt", without_none(VOIDING | changes))

    def receipts(self) -> Any:
        return self.ask("GET", "/receipts-api/receipts").json()

    def refund(self, **changes: object) -> requests.Response:
        return self.ask("PUT", "/payments-api/refunds", without_none(REFUND | changes))

    def refunds(self) -> Any:
        return self.ask("GET", "/payments-api/refunds").json()

    def append(self, *columns: str, sheet: str = "a") -> requests.Response:
        return self.ask("POST", f"/spreadsheets-api/sheets/{sheet}/rows", {"columns": columns})

    def rows(self, sheet: str = "a") -> Any:
        return self.ask("GET", f"/spreadsheets-api/sheets/{sheet}/rows").json()["rows"]


def without_none(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


@pytest.fixture
def client(simulator: Simulator, http: requests.Session) -> Client:
    return Client(simulator, http)


class TestReceipts:
    def test_answers_201_with_the_receipt(self, client: Client) -> None:
        answer = client.issue()
        receipt = answer.json()
        issued_at = datetime.fromisoformat(receipt.pop("issued_at"))
        assert abs(datetime.now(UTC) - issued_at) < timedelta(seconds=5)
        assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
        assert receipt == {**RECEIPT, "number": "R-000001", "voided": False, "void_reason": None}

    def test_answers_200_with_the_same_receipt_for_the_same_key_and_ticket(self, client: Client) -> None:
        first = client.issue().json()
        again = client.issue()
        assert (again.status_code, again.json()) == (200, first)
        assert client.receipts() == [first]

    def test_keeps_the_first_price_of_a_key(self, client: Client) -> None:
        client.issue()
        assert client.issue(price=PRICE | {"money_amount": "1.00"}).json()["price"] == PRICE

    def test_answers_400_for_the_key_of_another_ticket(self, client: Client) -> None:
        client.issue()
        answer = client.issue(ticket_id="t-2")
        assert answer.status_code == 400
        assert answer.json() == {"error": "The key k-1 was used for the ticket t-1."}
        assert len(client.receipts()) == 1

    def test_issues_a_new_receipt_for_each_call_without_a_key(self, client: Client) -> None:
        numbers = [client.issue(idempotency_key=None).json()["number"] for _ in range(3)]
        assert numbers == ["R-000001", "R-000002", "R-000003"]
        assert [receipt["number"] for receipt in client.receipts()] == numbers

    def test_voids_all_receipts_of_the_ticket(self, client: Client) -> None:
        client.issue()
        client.issue(idempotency_key=None)
        client.issue(ticket_id="t-2", idempotency_key=None)
        answer = client.void()
        assert (answer.status_code, answer.json()) == (200, {})
        assert [(one["voided"], one["void_reason"]) for one in client.receipts()] == [
            (True, "cancelled"),
            (True, "cancelled"),
            (False, None),
        ]

    def test_answers_200_for_voiding_what_is_not_there(self, client: Client) -> None:
        assert client.void().status_code == 200
        assert client.receipts() == []

    @pytest.mark.parametrize("key", ["v-1", "v-2", None])
    def test_answers_200_for_voiding_again(self, client: Client, key: str | None) -> None:
        client.issue()
        client.void()
        assert client.void(reason="again", idempotent_id=key).status_code == 200
        assert [one["void_reason"] for one in client.receipts()] == ["cancelled"]

    def test_voids_once_for_one_key(self, client: Client) -> None:
        client.void()
        client.issue()
        client.void()
        assert [one["voided"] for one in client.receipts()] == [False]
        client.void(idempotent_id=None)
        assert [one["voided"] for one in client.receipts()] == [True]

    def test_never_gives_a_number_twice(self, client: Client) -> None:
        client.issue()
        client.void()
        client.ask("POST", "/_simulator/reset")
        assert client.receipts() == []
        answer = client.issue(ticket_id="t-2")
        assert (answer.status_code, answer.json()["number"]) == (201, "R-000002")
        client.void(ticket_id="t-2")
        assert [one["voided"] for one in client.receipts()] == [True]

    @pytest.mark.parametrize("amount", ["0", "0.00", "50.3", "1234567890.12"])
    def test_takes_an_amount(self, client: Client, amount: str) -> None:
        assert client.issue(price=PRICE | {"money_amount": amount}).status_code == 201

    @pytest.mark.parametrize("amount", ["", "-1.00", "1.234", "1,00", "1e3", ".5", "1.", " 1", "1\n", "NaN", "٣", 50.3])
    def test_refuses_an_amount(self, client: Client, amount: object) -> None:
        answer = client.issue(price=PRICE | {"money_amount": amount})
        assert answer.status_code == 400
        assert "at `$.price.money_amount`" in answer.json()["error"]
        assert client.receipts() == []

    @pytest.mark.parametrize("currency", ["", "eur", "EURO", "EU", "EUR\n", 978])
    def test_refuses_a_currency(self, client: Client, currency: object) -> None:
        answer = client.issue(price=PRICE | {"money_currency": currency})
        assert answer.status_code == 400
        assert "at `$.price.money_currency`" in answer.json()["error"]


class TestPayments:
    def test_refunds_once_for_one_key(self, client: Client) -> None:
        answer = client.refund()
        assert (answer.status_code, answer.json()) == (200, {})
        assert client.refund(payment_reference="t-2").status_code == 200
        assert client.refunds() == [REFUND]

    def test_refunds_each_time_without_a_key(self, client: Client) -> None:
        for _ in range(3):
            assert client.refund(deduplication_id=None).status_code == 200
        assert client.refunds() == [REFUND | {"deduplication_id": None}] * 3

    def test_forgets_when_reset(self, client: Client) -> None:
        client.refund()
        client.ask("POST", "/_simulator/reset")
        assert client.refunds() == []
        client.refund()
        assert client.refunds() == [REFUND]


class TestSpreadsheets:
    def test_appends_every_row(self, client: Client) -> None:
        answer = client.append("1", "2")
        assert (answer.status_code, answer.json()) == (200, {})
        client.append("1", "2")
        client.append("", sheet="b%2Fc")
        assert (client.rows(), client.rows("b%2Fc"), client.rows("d")) == ([["1", "2"]] * 2, [[""]], [])

    def test_forgets_when_reset(self, client: Client) -> None:
        client.append("1")
        client.ask("POST", "/_simulator/reset")
        assert client.rows() == []


class TestDeadNation:
    def test_answers_200_with_the_booking_id_each_time(self, client: Client) -> None:
        for _ in range(2):
            answer = client.ask("POST", "/dead-nation-api/ticket/booking", BOOKING)
            assert (answer.status_code, answer.json()) == (200, {"booking_id": "b-1"})


class TestBodies:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PUT", "/receipts-api/receipts", RECEIPT),
            ("PUT", "/receipts-api/void-receipt", VOIDING),
            ("PUT", "/payments-api/refunds", REFUND),
            ("POST", "/spreadsheets-api/sheets/a/rows", {"columns": ["1"]}),
            ("POST", "/dead-nation-api/ticket/booking", BOOKING),
        ],
        ids=["issue", "void", "refund", "append", "book"],
    )
    def test_must_have_the_fields_and_no_others(
        self, client: Client, method: str, path: str, body: dict[str, object]
    ) -> None:
        optional = {"idempotency_key", "idempotent_id", "deduplication_id"}
        for name in body.keys() - optional:
            answer = client.ask(method, path, {other: body[other] for other in body.keys() - {name}})
            assert (answer.status_code, answer.json()) == (400, {"error": f"Object missing required field `{name}`."})
        for name in body:
            answer = client.ask(method, path, body | {name: True})
            assert answer.status_code == 400
            assert f"got `bool` - at `$.{name}`." in answer.json()["error"]
        answer = client.ask(method, path, body | {"ticket": "t-1"})
        assert (answer.status_code, answer.json()) == (400, {"error": "Object contains unknown field `ticket`."})
        assert (client.receipts(), client.refunds(), client.rows()) == ([], [], [])

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b'{"ticket_id": "\xff"}'])
    def test_must_be_a_json_object(self, client: Client, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        answer = client.http.put(f"{client.url}/receipts-api/receipts", data=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"].endswith(".")

    @pytest.mark.parametrize(
        ("path", "body", "place"),
        [
            ("/spreadsheets-api/sheets/a/rows", {"columns": []}, "$.columns"),
            ("/spreadsheets-api/sheets/a/rows", {"columns": ["1", 2]}, "$.columns[1]"),
            ("/dead-nation-api/ticket/booking", BOOKING | {"number_of_tickets": 0}, "$.number_of_tickets"),
            ("/dead-nation-api/ticket/booking", BOOKING | {"number_of_tickets": 10_001}, "$.number_of_tickets"),
            ("/dead-nation-api/ticket/booking", BOOKING | {"booking_id": ""}, "$.booking_id"),
        ],
    )
    def test_must_hold_what_makes_sense(self, client: Client, path: str, body: object, place: str) -> None:
        answer = client.ask("POST", path, body)
        assert answer.status_code == 400
        assert f"at `{place}`." in answer.json()["error"]

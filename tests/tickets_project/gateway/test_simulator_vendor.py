"""The simulated vendor over real HTTP: what it tells our webhook, how often, and how it is told to behave."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings

from tests.tickets_project.gateway.receiver import SECRET, Receiver, receiving
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.gateway.simulator.vendor import SILENT_EVENT_ID
from tickets_project.gateway.simulator.vendor_webhook import VendorWebhook

BOOKING = {"booking_id": "b-1", "event_id": "e-1", "customer_address": "ż@example.com", "number_of_tickets": 3}
DEFAULTS = {
    "callback": "once",
    "delay_ms": 1000,
    "extra_tickets": 0,
    "price": {"amount": "10.00", "currency": "EUR"},
}
NEWS = [[{"ticket_id": "t-1"}]]


class Client:
    """Short names for what the tests ask of a simulator."""

    def __init__(self, simulator: Simulator, http: requests.Session) -> None:
        self.url = simulator.url
        self.http = http

    def book(self, **changes: object) -> requests.Response:
        answer = self.http.post(f"{self.url}/dead-nation-api/ticket/booking", json=BOOKING | changes)
        assert answer.status_code == 200
        return answer

    def behave(self, **changes: object) -> requests.Response:
        return self.http.post(f"{self.url}/_simulator/vendor", json=changes)

    def behaviour(self) -> Any:
        return self.http.get(f"{self.url}/_simulator/vendor").json()

    def callbacks(self) -> list[dict[str, Any]]:
        return list(self.http.get(f"{self.url}/_simulator/vendor/callbacks").json()["callbacks"])

    def answered(self, *statuses: int | None) -> list[dict[str, Any]]:
        """Return the callbacks once they were answered like this."""
        wait_until(lambda: [callback["status"] for callback in self.callbacks()] == list(statuses))
        return self.callbacks()

    def reset(self) -> None:
        assert self.http.post(f"{self.url}/_simulator/reset").status_code == 204


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def client(receiver: Receiver, http: requests.Session, tmp_path: Path) -> Iterator[Client]:
    with Simulator(files=tmp_path, vendor_webhook_url=receiver.url, vendor_webhook_secret=SECRET) as simulator:
        yield Client(simulator, http)


class TestCallback:
    def test_confirms_a_ticket_for_each_seat(self, client: Client, receiver: Receiver) -> None:
        client.book()
        (received,) = receiver.wait_for(1)
        tickets = received.tickets()
        assert len({ticket.pop("ticket_id") for ticket in tickets}) == 3
        price = {"amount": "10.00", "currency": "EUR"}
        same = {"booking_id": "b-1", "status": "confirmed", "customer_email": "ż@example.com", "price": price}
        assert tickets == [same] * 3

    def test_is_a_signed_post(self, client: Client, receiver: Receiver) -> None:
        client.book()
        (received,) = receiver.wait_for(1)
        assert received.verified() == {"tickets": received.tickets()}
        assert (received.method, received.path) == ("POST", "/api/v1/vendor/tickets-status/")
        assert received.headers["host"] == receiver.url.split("/")[2]
        assert received.headers["content-type"] == "application/json"
        assert received.headers["webhook-id"] == f"msg_{received.headers['idempotency-key']}"

    def test_is_made_once_for_a_repeated_booking(self, client: Client, receiver: Receiver) -> None:
        client.book()
        client.answered(200)
        client.book()
        client.book(number_of_tickets=1)
        client.book(booking_id="b-2")
        client.answered(200, 200)
        assert [received.tickets()[0]["booking_id"] for received in receiver.received] == ["b-1", "b-2"]

    def test_is_listed_with_its_answer(self, client: Client, receiver: Receiver) -> None:
        assert client.callbacks() == []
        client.book()
        (listed,) = client.answered(200)
        (received,) = receiver.received
        assert listed == {
            "idempotency_key": received.headers["idempotency-key"],
            "tickets": received.tickets(),
            "tries": 1,
            "status": 200,
        }

    def test_is_never_made_for_the_silent_event(self, client: Client) -> None:
        client.book(event_id=SILENT_EVENT_ID)
        client.book(booking_id="b-2")
        (listed,) = client.answered(200)
        assert {ticket["booking_id"] for ticket in listed["tickets"]} == {"b-2"}

    def test_is_not_made_without_an_address(self, http: requests.Session, tmp_path: Path) -> None:
        with Simulator(files=tmp_path, vendor_webhook_secret=SECRET) as simulator:
            client = Client(simulator, http)
            client.book()
            assert client.callbacks() == []

    def test_is_unsigned_without_a_secret(self, receiver: Receiver, http: requests.Session, tmp_path: Path) -> None:
        with Simulator(files=tmp_path, vendor_webhook_url=receiver.url) as simulator:
            Client(simulator, http).book()
            (received,) = receiver.wait_for(1)
        assert [name for name in received.headers if name.startswith("webhook-")] == []
        assert received.headers["idempotency-key"]

    @pytest.mark.parametrize("status", [500, 503, 409, 429, 0])
    def test_is_made_again_when_that_may_help(self, client: Client, receiver: Receiver, status: int) -> None:
        receiver.answers.extend([status, status])
        client.book()
        (listed,) = client.answered(200)
        assert listed["tries"] == 3
        first, *others = receiver.received
        for other in others:
            assert other.body == first.body
            assert other.headers["idempotency-key"] == first.headers["idempotency-key"]
            assert other.headers["webhook-id"] == first.headers["webhook-id"]
            assert other.verified()

    @pytest.mark.parametrize("status", [202, 302, 400, 401, 422])
    def test_is_not_made_again_when_answered_for_good(self, client: Client, receiver: Receiver, status: int) -> None:
        receiver.answers.append(status)
        client.book()
        client.answered(status)
        time.sleep(0.3)
        assert len(receiver.received) == 1

    def test_waits_for_a_webhook_that_is_not_up_yet(self, http: requests.Session, tmp_path: Path) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as taken:
            port = taken.getsockname()[1]
        with Simulator(files=tmp_path, vendor_webhook_url=f"http://127.0.0.1:{port}") as simulator:
            client = Client(simulator, http)
            client.book()
            wait_until(lambda: any(callback["tries"] for callback in client.callbacks()))
            client.answered(None)
            with receiving(port) as receiver:
                (received,) = receiver.wait_for(1)
                assert received.path == "/"

    def test_leaves_the_simulator_responsive(self, client: Client, receiver: Receiver) -> None:
        receiver.open.clear()
        client.book()
        receiver.wait_for(1)
        assert client.http.get(f"{client.url}/_simulator/health", timeout=0.5).ok
        assert [callback["status"] for callback in client.callbacks()] == [None]
        receiver.open.set()
        client.answered(200)

    def test_leaves_the_webhook_some_room(self, client: Client, receiver: Receiver) -> None:
        receiver.open.clear()
        for number in range(12):
            client.book(booking_id=f"b-{number}")
        receiver.wait_for(8)
        time.sleep(0.1)
        assert len(receiver.received) == 8
        receiver.open.set()
        client.answered(*[200] * 12)
        assert receiver.most_at_once == 8

    def test_follows_a_booking_whose_answer_was_lost(self, client: Client, receiver: Receiver) -> None:
        fault = {"operation": "dead_nation.book", "count": 1, "drop": "after"}
        client.http.post(f"{client.url}/_simulator/faults", json=fault)
        with pytest.raises(requests.ConnectionError):
            client.book()
        client.book()
        client.answered(200)
        assert len(receiver.received) == 1


class TestBehaviour:
    def test_twice_tells_the_same_under_two_keys(self, client: Client, receiver: Receiver) -> None:
        client.behave(callback="twice")
        client.book()
        client.answered(200, 200)
        first, second = receiver.received
        assert first.body == second.body
        assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
        assert second.verified()

    def test_late_waits(self, client: Client, receiver: Receiver) -> None:
        client.behave(callback="late", delay_ms=300)
        begun = time.monotonic()
        client.book()
        (received,) = receiver.wait_for(1)
        assert 0.3 <= received.at - begun < 2

    def test_waits_for_nothing_else(self, client: Client, receiver: Receiver) -> None:
        client.behave(delay_ms=60_000)
        client.book()
        receiver.wait_for(1)

    @pytest.mark.parametrize(
        ("callback", "statuses"),
        [("cancelled_first", ["canceled", "confirmed"]), ("cancelled", ["confirmed", "canceled"])],
    )
    def test_cancels_the_tickets(self, client: Client, receiver: Receiver, callback: str, statuses: list[str]) -> None:
        receiver.answers.append(500)
        client.behave(callback=callback)
        client.book()
        client.answered(200, 200)
        _refused, first, second = receiver.received
        assert [ticket["status"] for ticket in first.tickets() + second.tickets()] == [
            status for status in statuses for _ in range(3)
        ]
        assert [ticket["ticket_id"] for ticket in first.tickets()] == [
            ticket["ticket_id"] for ticket in second.tickets()
        ]

    def test_never_tells_nothing(self, client: Client, receiver: Receiver) -> None:
        client.behave(callback="never")
        client.book()
        client.behave(callback="once")
        client.book(booking_id="b-2")
        client.answered(200)
        assert [received.tickets()[0]["booking_id"] for received in receiver.received] == ["b-2"]

    def test_confirms_more_than_booked(self, client: Client, receiver: Receiver) -> None:
        client.behave(extra_tickets=2)
        client.book()
        (received,) = receiver.wait_for(1)
        assert len({ticket["ticket_id"] for ticket in received.tickets()}) == 5

    def test_prices_the_tickets(self, client: Client, receiver: Receiver) -> None:
        price = {"amount": "12.50", "currency": "PLN"}
        client.behave(price=price)
        client.book()
        (received,) = receiver.wait_for(1)
        assert [ticket["price"] for ticket in received.tickets()] == [price] * 3

    def test_stays_until_it_is_changed_or_reset(self, client: Client) -> None:
        assert client.behaviour() == DEFAULTS
        answer = client.behave(callback="twice", extra_tickets=1)
        assert (answer.status_code, answer.json()) == (200, DEFAULTS | {"callback": "twice", "extra_tickets": 1})
        client.behave(extra_tickets=0, delay_ms=5)
        assert client.behaviour() == DEFAULTS | {"callback": "twice", "delay_ms": 5}
        client.behave()
        assert client.behaviour() == DEFAULTS | {"callback": "twice", "delay_ms": 5}
        client.reset()
        assert client.behaviour() == DEFAULTS

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"callback": "thrice"}, "Invalid enum value 'thrice' - at `$.callback`."),
            ({"callback": None}, "at `$.callback`."),
            ({"delay": 1}, "Object contains unknown field `delay`."),
            ({"delay_ms": -1}, "at `$.delay_ms`."),
            ({"delay_ms": 60_001}, "at `$.delay_ms`."),
            ({"extra_tickets": "1"}, "at `$.extra_tickets`."),
            ({"extra_tickets": -1}, "at `$.extra_tickets`."),
            ({"price": "10.00"}, "at `$.price`."),
            ({"price": {"amount": "10.00"}}, "at `$.price`."),
            ({"price": {"amount": "10.00", "currency": "eur"}}, "at `$.price.currency`."),
        ],
    )
    def test_refuses(self, client: Client, changes: dict[str, object], sentence: str) -> None:
        answer = client.behave(**changes)
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]
        assert client.behaviour() == DEFAULTS

    @pytest.mark.parametrize("body", [b"", b"[]", b"{"])
    def test_refuses_what_is_no_object(self, client: Client, body: bytes) -> None:
        assert client.http.post(f"{client.url}/_simulator/vendor", data=body).status_code == 400


class TestReset:
    def test_forgets_bookings_and_callbacks(self, client: Client) -> None:
        client.book()
        client.answered(200)
        client.reset()
        assert client.callbacks() == []
        client.book()
        client.answered(200)

    def test_stops_what_was_still_to_come(self, client: Client, receiver: Receiver) -> None:
        client.behave(callback="late", delay_ms=200)
        client.book()
        client.reset()
        time.sleep(0.4)
        assert (client.callbacks(), receiver.received) == ([], [])


class TestSimulator:
    @pytest.mark.parametrize("trouble", ["hangs", "refuses", "late"])
    def test_ends_at_once(self, receiver: Receiver, http: requests.Session, tmp_path: Path, trouble: str) -> None:
        with Simulator(files=tmp_path, vendor_webhook_url=receiver.url) as simulator:
            client = Client(simulator, http)
            if trouble == "hangs":
                receiver.open.clear()
            receiver.answers.extend([500] * 20)
            client.behave(callback="late" if trouble == "late" else "once", delay_ms=30_000)
            client.book()
            if trouble != "late":
                receiver.wait_for(1)
            begun = time.monotonic()
        assert time.monotonic() - begun < 1
        count = len(receiver.received)
        time.sleep(0.3)
        assert len(receiver.received) == count

    @pytest.mark.parametrize(
        "url",
        [
            "127.0.0.1:8000",
            "https://127.0.0.1/",
            "http://",
            "http://:80/",
            "http://a:0/",
            "http://a:x/",
            "http://a:70000/",
            "http://[::1/",
            "http://a/?b=c",
            "http://a/#b",
            "http://a@b/",
            "http://a b/",
            "http://a/\r\nX: y",
            "http://ż/",
        ],
    )
    def test_refuses_an_address_that_is_no_webhook(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(ValueError, match="address must be like http://host:port/path"):
            Simulator(files=tmp_path, vendor_webhook_url=url)

    @pytest.mark.parametrize("secret", ["whsec_", "whsec_a", "whsec_ż"])
    def test_refuses_a_secret_that_signs_nothing(self, tmp_path: Path, secret: str) -> None:
        with pytest.raises(ValueError, match="VENDOR_WEBHOOK_SECRET must be whsec_") as caught:
            Simulator(files=tmp_path, vendor_webhook_secret=secret)
        assert "whsec_a" not in str(caught.value)


class TestVendorWebhook:
    def told(self, url: str, **options: Any) -> VendorWebhook:
        """Tell the news, and return when all has been tried."""

        async def tell() -> VendorWebhook:
            webhook = VendorWebhook(url, SECRET, **options)
            webhook.tell(NEWS)
            await asyncio.gather(*webhook._tasks)
            return webhook

        return asyncio.run(tell())

    def test_gives_up_in_the_end(self, receiver: Receiver) -> None:
        receiver.answers.extend([500] * 10)
        (callback,) = self.told(receiver.url, pauses=[0.01] * 4).made
        assert (callback.tries, callback.status, len(receiver.received)) == (4, 500, 4)

    def test_has_the_patience_of_twenty_tries_in_half_a_minute(self) -> None:
        pauses = VendorWebhook(None, "")._pauses
        assert len(pauses) == 20
        assert 25 <= sum(pauses) <= 35

    def test_counts_silence_as_no_answer(self, receiver: Receiver) -> None:
        receiver.open.clear()
        (callback,) = self.told(receiver.url, pauses=[0, 0], patience=0.1).made
        assert (callback.tries, callback.status) == (2, None)

    def test_counts_what_is_not_http_as_no_answer(self, answering: Callable[[bytes], None], settings: Settings) -> None:
        answering(b"SSH-2.0\r\n")
        (callback,) = self.told(settings.GATEWAY_URL, pauses=[0]).made
        assert callback.status is None

    def test_counts_a_host_that_cannot_be_as_no_answer(self) -> None:
        (callback,) = self.told("http://a..b/", pauses=[0]).made
        assert (callback.tries, callback.status) == (1, None)

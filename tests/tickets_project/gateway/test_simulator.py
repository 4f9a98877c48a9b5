"""The simulator over real HTTP: the files service, faults, the call log, and clients that speak badly."""

import errno
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tickets_project.gateway.simulator.server import Simulator

HTML = {"Content-Type": "text/html; charset=utf-8"}


class Client:
    """Short names for what the tests ask of a simulator."""

    def __init__(self, simulator: Simulator, http: requests.Session) -> None:
        self.url = simulator.url
        self.http = http

    def content_url(self, file_id: str) -> str:
        return f"{self.url}/files-api/files/{file_id}/content"

    def put(self, file_id: str = "a.html", body: bytes = b"<p>") -> requests.Response:
        return self.http.put(self.content_url(file_id), data=body, headers=HTML)

    def get(self, file_id: str = "a.html") -> requests.Response:
        return self.http.get(self.content_url(file_id))

    def files(self) -> Any:
        return self.http.get(f"{self.url}/files-api/files").json()["files"]

    def calls(self, query: str = "") -> Any:
        return self.http.get(f"{self.url}/_simulator/calls{query}").json()["calls"]

    def faults(self) -> Any:
        return self.http.get(f"{self.url}/_simulator/faults").json()["faults"]

    def post_fault(self, body: Any) -> requests.Response:
        return self.http.post(f"{self.url}/_simulator/faults", json=body)

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are and return all that comes until the simulator hangs up."""
        host, port = self.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture
def client(simulator: Simulator, http: requests.Session) -> Client:
    return Client(simulator, http)


class TestFilesService:
    def test_answers_201_then_409_and_keeps_the_first(self, client: Client) -> None:
        assert client.put(body=b"first").status_code == 201
        second = client.put(body=b"second")
        assert (second.status_code, second.json()) == (409, {"error": "The file a.html exists."})
        assert client.get().content == b"first"

    def test_returns_the_body_with_its_content_type(self, client: Client) -> None:
        client.http.put(client.content_url("a"), data=b"plain", headers={"Content-Type": "text/plain"})
        assert client.get("a").headers["Content-Type"] == "text/plain"

    def test_answers_404_for_no_file(self, client: Client) -> None:
        assert (client.get().status_code, client.get().json()) == (404, {"error": "There is no file a.html."})

    def test_lists_all_files(self, client: Client) -> None:
        client.put("b")
        client.put("a")
        assert client.files() == ["a", "b"]

    def test_keeps_each_file_in_the_folder(self, client: Client, tmp_path: Path) -> None:
        client.put(body=b"<p>seen")
        assert (tmp_path / "files" / "a.html").read_bytes() == b"<p>seen"

    def test_survives_a_restart(self, http: requests.Session, tmp_path: Path) -> None:
        with Simulator(files=tmp_path) as simulator:
            Client(simulator, http).put("zażółć%2F1.html")
        with Simulator(files=tmp_path) as simulator:
            client = Client(simulator, http)
            assert client.files() == ["zażółć/1.html"]
            answer = client.get("zażółć%2F1.html")
            assert (answer.content, answer.headers["Content-Type"]) == (b"<p>", "text/html; charset=utf-8")
            assert client.put("zażółć%2F1.html").status_code == 409

    @pytest.mark.parametrize("file_id", ["..%2F..%2Fx", "%2Fetc%2Fx", "a%00b", "...", "%2e%2e%2e", "a%5Cb"])
    def test_stores_climbing_names_inside_the_folder(self, client: Client, tmp_path: Path, file_id: str) -> None:
        assert client.put(file_id).status_code == 201
        assert [path.parent for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "files"]
        assert client.get(file_id).content == b"<p>"

    @pytest.mark.parametrize("file_id", [b".", b"..", b"%2e", b"%2E%2e", b"x" * 256, b"%FF"])
    def test_refuses_names_that_no_folder_holds(self, client: Client, tmp_path: Path, file_id: bytes) -> None:
        head = b"PUT /files-api/files/%s/content HTTP/1.1\r\nConnection: close\r\n\r\n" % file_id
        assert b" 400 Bad Request\r\n" in client.raw(head)
        assert list((tmp_path / "files").iterdir()) == []

    def test_lets_one_of_many_simultaneous_calls_store(self, client: Client) -> None:
        def put(number: int) -> int:
            return requests.put(client.content_url("a"), data=b"%d" % number, timeout=5).status_code

        with ThreadPoolExecutor(8) as threads:
            statuses = list(threads.map(put, range(24)))
        assert sorted(statuses) == [201] + [409] * 23


class TestFaults:
    def test_answers_the_status_without_the_effect(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", count=2, status=500)
        assert [client.put().status_code for _ in range(3)] == [500, 500, 201]
        assert client.faults() == []

    def test_hits_the_named_operation_alone(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", status=500)
        assert client.get().status_code == 404
        assert client.put().status_code == 500

    def test_strikes_in_the_order_of_arrival(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", status=503)
        fault("files.put", status=429)
        assert [client.put().status_code for _ in range(3)] == [503, 429, 201]

    def test_answers_late_after_the_effect(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", delay_ms=3000)
        with pytest.raises(requests.ReadTimeout):
            client.http.put(client.content_url("a.html"), data=b"x", timeout=1)
        assert client.get().status_code == 200

    def test_delays_a_status(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", delay_ms=200, status=500)
        begun = time.monotonic()
        assert client.put().status_code == 500
        assert time.monotonic() - begun >= 0.2

    def test_lets_others_pass_while_one_is_late(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", delay_ms=2000)
        with ThreadPoolExecutor(1) as threads:
            late = threads.submit(client.put, "late")
            while not client.calls():
                time.sleep(0.01)
            assert requests.put(client.content_url("prompt"), timeout=0.5).status_code == 201
            assert not late.done()
            assert late.result().status_code == 201

    def test_drops_the_connection_before_the_effect(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", drop="before")
        with pytest.raises(requests.ConnectionError):
            client.put()
        assert client.files() == []

    def test_drops_the_connection_after_the_effect(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", drop="after")
        with pytest.raises(requests.ConnectionError):
            client.put()
        assert client.files() == ["a.html"]

    def test_hits_a_share_of_the_calls_until_cleared(self, client: Client) -> None:
        assert client.post_fault({"operation": "files.list", "share": 0.5, "status": 500}).status_code == 201
        url = f"{client.url}/files-api/files"
        statuses = {client.http.get(url).status_code for _ in range(60)}
        assert statuses == {200, 500}
        assert client.http.delete(f"{client.url}/_simulator/faults").status_code == 204
        assert {client.http.get(url).status_code for _ in range(20)} == {200}

    def test_lists_what_is_pending(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", count=2, drop="after")
        client.post_fault({"operation": "files.list", "share": 0.25, "delay_ms": 5})
        with pytest.raises(requests.ConnectionError):
            client.put()
        assert client.faults() == [
            {"operation": "files.put", "count": 1, "drop": "after"},
            {"operation": "files.list", "share": 0.25, "delay_ms": 5},
        ]

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            ({}, "missing required field `operation`"),
            ([], "Expected `object`, got `array`"),
            ({"operation": "files.burn", "count": 1, "status": 500}, "There is no operation 'files.burn'; take one of"),
            ({"operation": "files.put", "count": 1}, "Give at least one of status, delay_ms and drop"),
            ({"operation": "files.put", "status": 500}, "Give either count or share"),
            ({"operation": "files.put", "count": 1, "share": 0.5, "status": 500}, "Give either count or share"),
            ({"operation": "files.put", "count": 1, "status": 500, "drop": "after"}, "Give either status or drop"),
            ({"operation": "files.put", "count": 1, "stauts": 500}, "unknown field `stauts`"),
            (
                {"operation": "files.put", "count": "1", "status": 500},
                "Expected `int | null`, got `str` - at `$.count`",
            ),
            ({"operation": "files.put", "count": True, "status": 500}, "got `bool` - at `$.count`"),
            ({"operation": "files.put", "count": 0, "status": 500}, ">= 1 - at `$.count`"),
            ({"operation": "files.put", "share": 1.1, "status": 500}, "<= 1.0 - at `$.share`"),
            ({"operation": "files.put", "count": 1, "status": 99}, ">= 200 - at `$.status`"),
            ({"operation": "files.put", "count": 1, "delay_ms": -1}, ">= 1 - at `$.delay_ms`"),
            ({"operation": "files.put", "count": 1, "drop": "now"}, "Invalid enum value 'now' - at `$.drop`"),
        ],
    )
    def test_refuses(self, client: Client, body: Any, sentence: str) -> None:
        answer = client.post_fault(body)
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]
        assert client.faults() == []

    def test_refuses_what_is_not_json(self, client: Client) -> None:
        answer = client.http.post(f"{client.url}/_simulator/faults", data=b"status=500")
        assert (answer.status_code, answer.json()["error"][:17]) == (400, "JSON is malformed")


class TestCalls:
    def test_records_each_call(self, client: Client) -> None:
        client.http.put(client.content_url("a"), data=b"x", headers={"Correlation-ID": "c-1", "traceparent": "00-1"})
        client.get("a%2Fb")
        first, second = client.calls()
        at = datetime.fromisoformat(first.pop("at"))
        assert datetime.now(UTC) - at < timedelta(seconds=5)
        assert first == {
            "operation": "files.put",
            "method": "PUT",
            "path": "/files-api/files/a/content",
            "status": 201,
            "correlation_id": "c-1",
            "traceparent": "00-1",
            "idempotency_key": None,
        }
        assert (second["operation"], second["path"]) == ("files.content", "/files-api/files/a%2Fb/content")
        assert (second["status"], second["correlation_id"]) == (404, None)

    @pytest.mark.parametrize("field", ["idempotency_key", "idempotent_id", "deduplication_id"])
    def test_records_the_idempotency_key_of_a_json_body(self, client: Client, field: str) -> None:
        client.http.put(client.content_url("a"), json={field: "key-1"})
        assert [call["idempotency_key"] for call in client.calls()] == ["key-1"]

    @pytest.mark.parametrize("body", [b"", b"[1]", b"{"])
    def test_takes_json_bodies_without_a_key(self, client: Client, body: bytes) -> None:
        client.http.put(client.content_url("a"), data=body, headers={"Content-Type": "application/json"})
        assert [call["idempotency_key"] for call in client.calls()] == [None]

    def test_has_no_status_when_the_connection_was_dropped(self, client: Client, fault: Callable[..., None]) -> None:
        for moment in ("before", "after"):
            fault("files.put", drop=moment)
            with pytest.raises(requests.ConnectionError):
                client.put()
        assert [call["status"] for call in client.calls()] == [None, None]

    def test_records_the_status_of_faults_and_refusals(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", status=500)
        client.put()
        client.put("x" * 256)
        assert [call["status"] for call in client.calls()] == [500, 400]

    def test_filters_by_operation(self, client: Client) -> None:
        client.put()
        client.get()
        assert [call["operation"] for call in client.calls("?operation=files.content")] == ["files.content"]
        assert client.calls("?operation=files.list") == []

    def test_refuses_to_filter_by_an_unknown_operation(self, client: Client) -> None:
        answer = client.http.get(f"{client.url}/_simulator/calls?operation=")
        assert answer.status_code == 200
        answer = client.http.get(f"{client.url}/_simulator/calls?operation=files.burn")
        assert (answer.status_code, answer.json()["error"][:12]) == (400, "There is no ")

    def test_forgets_when_cleared(self, client: Client) -> None:
        client.put()
        assert client.http.delete(f"{client.url}/_simulator/calls").status_code == 204
        assert client.calls() == []


class TestReset:
    def test_clears_files_faults_and_calls(self, client: Client, fault: Callable[..., None], tmp_path: Path) -> None:
        client.put("a")
        client.put("b")
        (tmp_path / "files" / "folder").mkdir()
        fault("files.put", status=500)
        assert client.http.post(f"{client.url}/_simulator/reset").status_code == 204
        assert client.calls() == []
        assert (client.files(), client.faults()) == ([], [])
        assert [path.name for path in (tmp_path / "files").iterdir()] == ["folder"]
        assert client.put("a").status_code == 201


class TestHealth:
    def test_answers_200(self, client: Client) -> None:
        assert client.http.get(f"{client.url}/_simulator/health").json() == {"status": "ok"}


class TestRouting:
    @pytest.mark.parametrize("path", ["/", "/files-api", "/files-api/files/", "/_simulator", "/_simulator/x", "/x?y=1"])
    def test_answers_404_for_an_unknown_path(self, client: Client, path: str) -> None:
        answer = client.http.get(client.url + path)
        assert answer.status_code == 404
        assert answer.json() == {"error": f"Nothing is served at {path.partition('?')[0]}."}

    def test_answers_405_for_another_method(self, client: Client) -> None:
        answer = client.http.delete(client.content_url("a"))
        assert answer.status_code == 405
        assert answer.json() == {"error": "/files-api/files/a/content takes PUT, GET, not DELETE."}

    def test_answers_head_without_a_body(self, client: Client) -> None:
        answer = client.raw(b"HEAD /files-api/files HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 405 ")
        assert answer.endswith(b"\r\n\r\n")

    def test_survives_a_failing_handler(self, client: Client, tmp_path: Path) -> None:
        (tmp_path / "files").rmdir()
        with pytest.raises(requests.ConnectionError):
            client.put()
        assert client.http.get(f"{client.url}/_simulator/health").ok


class TestConnection:
    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (b"\r\n\r\n", b"400"),
            (b"GET\r\n\r\n", b"400"),
            (b"GET / HTTP/2\r\n\r\n", b"400"),
            (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", b"400"),
            (b"\x16\x03\x01\x02\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", b"400"),
            (b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
            (b"PUT / HTTP/1.1\r\nContent-Length: ten\r\n\r\n", b"400"),
            (b"PUT / HTTP/1.1\r\nContent-Length: 10485761\r\n\r\n", b"413"),
            (b"PUT / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413"),
            (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
            (b"GET / HTTP/1.1\r\nX: " + b"x" * 66_000 + b"\r\n\r\n", b"431"),
        ],
    )
    def test_refuses_a_malformed_request_and_hangs_up(self, client: Client, request_: bytes, status: bytes) -> None:
        answer = client.raw(request_)
        assert answer.split(b" ")[1] == status
        assert b"Connection: close\r\n" in answer
        assert b'{"error":"' in answer

    def test_answers_several_requests_in_turn(self, client: Client) -> None:
        ask = b"GET /_simulator/health HTTP/1.1\r\n\r\n"
        last = b"GET /_simulator/health HTTP/1.1\r\nConnection: close\r\n\r\n"
        assert client.raw(ask + ask + last).count(b"200 OK") == 3

    def test_hangs_up_after_http_1_0(self, client: Client) -> None:
        assert b"Connection: close" in client.raw(b"GET /_simulator/health HTTP/1.0\r\n\r\n")

    def test_asks_for_the_body_that_waits_for_it(self, client: Client) -> None:
        head = b"PUT /files-api/files/a/content HTTP/1.1\r\nConnection: close\r\nContent-Length: 1\r\n"
        answer = client.raw(head + b"Expect: 100-continue\r\n\r\nx")
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n")

    def test_forgets_a_client_that_hangs_up_half_way(self, client: Client) -> None:
        host, port = client.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"PUT /files-api/files/a/content HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
        assert client.files() == []

    def test_names_a_status_that_nobody_registered(self, client: Client, fault: Callable[..., None]) -> None:
        fault("files.put", status=599)
        answer = client.put()
        assert (answer.status_code, answer.reason) == (599, "Simulated")


class TestSimulator:
    def test_takes_its_time(self, http: requests.Session, tmp_path: Path) -> None:
        with Simulator(files=tmp_path, latency_ms=100) as simulator:
            begun = time.monotonic()
            Client(simulator, http).put()
            assert time.monotonic() - begun >= 0.1

    def test_stops_at_once_and_frees_its_port(self, http: requests.Session, tmp_path: Path) -> None:
        with ThreadPoolExecutor(1) as threads, Simulator(files=tmp_path) as simulator:
            client = Client(simulator, http)
            client.post_fault({"operation": "files.put", "count": 1, "delay_ms": 30_000})
            late = threads.submit(client.put)
            while not client.calls():
                time.sleep(0.01)
            begun = time.monotonic()
        assert time.monotonic() - begun < 1
        assert isinstance(late.exception(), requests.ConnectionError)
        with Simulator(port=int(simulator.url.rpartition(":")[2]), files=tmp_path) as again:
            assert again.url == simulator.url

    def test_refuses_a_taken_port(self, simulator: Simulator, tmp_path: Path) -> None:
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use") as caught, Simulator(port=port, files=tmp_path):
            pass
        assert caught.value.errno == errno.EADDRINUSE

"""The client: what reaches the upstream, and which trouble is temporary."""

import os
import pickle
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import requests
from pytest_django import Settings

from tickets_project.correlation import Trace, tracing
from tickets_project.gateway import client
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError, UpstreamError
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.outcomes import GiveUp

CONTENT = "/files/a.html/content"


def put(body: bytes = b"<p>") -> requests.Response:
    return client.call("files-api", "PUT", CONTENT, expected=(201,), body=body, content_type="text/html")


def get_listing() -> requests.Response:
    return client.call("files-api", "GET", "/files", expected=(200,))


def pooled_connections(url: str) -> int:
    adapter = client._session(os.getpid()).get_adapter(url)
    assert isinstance(adapter, requests.adapters.HTTPAdapter)
    pools = (adapter.poolmanager.pools.get(key) for key in adapter.poolmanager.pools.keys())  # noqa: SIM118 - no mapping
    return sum(pool.num_connections for pool in pools if url.endswith(f":{pool.port}"))


@pytest.fixture
def nobody(settings: Settings) -> None:
    """Point the gateway at a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.GATEWAY_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def deaf(settings: Settings) -> Iterator[None]:
    """Point the gateway at a listener whose queue is full, so that connecting hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        settings.GATEWAY_URL = f"http://127.0.0.1:{address[1]}"
        queue = [socket.socket() for _ in range(4)]
        for connection in queue:
            connection.setblocking(False)
            connection.connect_ex(address)
        yield
        for connection in queue:
            connection.close()


class TestCall:
    @pytest.mark.usefixtures("simulator")
    def test_returns_a_listed_answer(self) -> None:
        assert put().status_code == 201
        assert client.call("files-api", "PUT", CONTENT, expected=(201, 409), body=b"x").status_code == 409

    @pytest.mark.usefixtures("simulator")
    def test_sends_body_and_content_type(self) -> None:
        put("<p>ż".encode())
        answer = client.call("files-api", "GET", CONTENT, expected=(200,))
        assert (answer.content, answer.headers["Content-Type"]) == ("<p>ż".encode(), "text/html")

    def test_sends_the_correlation_id_of_the_trace(self, simulator: Simulator, http: requests.Session) -> None:
        with tracing(Trace(correlation_id="booking-7")):
            get_listing()
        calls = http.get(f"{simulator.url}/_simulator/calls").json()["calls"]
        assert [call["correlation_id"] for call in calls] == ["booking-7"]

    def test_passes_a_traceparent_on(self, simulator: Simulator, http: requests.Session) -> None:
        with tracing(Trace(correlation_id="booking-7", traceparent="00-4bf9-00f0-01")):
            get_listing()
        get_listing()
        calls = http.get(f"{simulator.url}/_simulator/calls").json()["calls"]
        assert [call["traceparent"] for call in calls] == ["00-4bf9-00f0-01", None]

    def test_sends_a_new_correlation_id_outside_a_trace(self, simulator: Simulator, http: requests.Session) -> None:
        get_listing()
        get_listing()
        first, second = http.get(f"{simulator.url}/_simulator/calls").json()["calls"]
        assert first["correlation_id"]
        assert first["correlation_id"] != second["correlation_id"]

    def test_uses_one_connection_again(self, simulator: Simulator) -> None:
        for _ in range(5):
            get_listing()
        assert pooled_connections(simulator.url) == 1

    def test_keeps_a_connection_for_each_thread(self, simulator: Simulator, fault: Callable[..., None]) -> None:
        fault("files.list", count=8, delay_ms=100)
        for _ in range(2):
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(lambda _: get_listing(), range(8)))
        assert pooled_connections(simulator.url) == 8

    def test_uses_a_connection_again_after_an_error_answer(
        self, simulator: Simulator, fault: Callable[..., None]
    ) -> None:
        fault("files.list", status=500)
        with pytest.raises(TemporaryUpstreamError):
            get_listing()
        get_listing()
        assert pooled_connections(simulator.url) == 1

    @pytest.mark.usefixtures("simulator")
    def test_shares_no_connection_with_a_forked_child(self) -> None:
        get_listing()
        ours = client._session(os.getpid())
        child = os.fork()
        if not child:
            fine = get_listing().ok and client._session(os.getpid()) is not ours
            os._exit(0 if fine else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client._session(os.getpid()) is ours

    @pytest.mark.usefixtures("simulator")
    def test_ignores_proxies_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert get_listing().ok

    def test_keeps_no_cookies(self, answering: Callable[[bytes], None]) -> None:
        answering(b"HTTP/1.1 200 OK\r\nSet-Cookie: seen=1\r\nContent-Length: 0\r\n\r\n")
        get_listing()
        assert not client._session(os.getpid()).cookies

    def test_follows_no_redirect(self, answering: Callable[[bytes], None]) -> None:
        answering(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(TemporaryUpstreamError, match="answered 302"):
            get_listing()

    @pytest.mark.parametrize("status", [202, 204, 302, 408, 425, 429, 500, 502, 503, 504])
    def test_is_temporary_for(self, fault: Callable[..., None], status: int) -> None:
        fault("files.put", status=status)
        with pytest.raises(TemporaryUpstreamError) as caught:
            put()
        assert (caught.value.status, caught.value.operation) == (status, "PUT files-api/files/a.html/content")
        assert put().status_code == 201

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 415, 422, 451])
    def test_is_permanent_for(self, fault: Callable[..., None], status: int) -> None:
        fault("files.put", status=status)
        with pytest.raises(PermanentUpstreamError, match="a retry cannot help") as caught:
            put()
        assert caught.value.status == status
        assert isinstance(caught.value, GiveUp)

    @pytest.mark.usefixtures("nobody")
    def test_is_temporary_when_refused(self) -> None:
        with pytest.raises(TemporaryUpstreamError, match=r"no connection, or it broke: .*Check GATEWAY_URL") as caught:
            get_listing()
        assert caught.value.status is None

    @pytest.mark.usefixtures("deaf")
    def test_is_temporary_when_connecting_takes_too_long(self, settings: Settings) -> None:
        settings.GATEWAY_TIMEOUTS = (0.2, 5)
        with pytest.raises(TemporaryUpstreamError, match=r"no connection within 0\.2 s"):
            get_listing()

    def test_is_temporary_when_the_answer_takes_too_long(self, fault: Callable[..., None], settings: Settings) -> None:
        settings.GATEWAY_TIMEOUTS = (3, 0.2)
        fault("files.put", delay_ms=2000)
        with pytest.raises(TemporaryUpstreamError, match=r"no answer within 0\.2 s"):
            put()

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_is_temporary_when_the_connection_is_dropped(self, fault: Callable[..., None], moment: str) -> None:
        fault("files.put", drop=moment)
        with pytest.raises(TemporaryUpstreamError, match="it broke"):
            put()

    @pytest.mark.parametrize(
        "answer",
        [b"", b"SSH-2.0\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"],
        ids=["none", "ssh", "half"],
    )
    def test_is_temporary_for_an_answer_that_is_not_http(
        self, answering: Callable[[bytes], None], answer: bytes
    ) -> None:
        answering(answer)
        with pytest.raises(TemporaryUpstreamError):
            get_listing()

    def test_does_not_try_again_by_itself(
        self, simulator: Simulator, fault: Callable[..., None], http: requests.Session
    ) -> None:
        fault("files.list", status=503)
        with pytest.raises(TemporaryUpstreamError):
            get_listing()
        assert len(http.get(f"{simulator.url}/_simulator/calls").json()["calls"]) == 1

    def test_quotes_the_start_of_an_error_answer(self, answering: Callable[[bytes], None]) -> None:
        answering(b"HTTP/1.1 500 Oops\r\nContent-Length: 3005\r\n\r\nd\0\xff..." + b"x" * 2999)
        with pytest.raises(TemporaryUpstreamError) as caught:
            get_listing()
        assert caught.value.excerpt.startswith("d\N{REPLACEMENT CHARACTER}...xxx")
        assert len(caught.value.excerpt) == 500
        assert "\0" not in str(caught.value)


class TestRead:
    class Listing(msgspec.Struct):
        files: list[str]

    @pytest.mark.usefixtures("simulator")
    def test_returns_the_typed_value(self) -> None:
        put()
        assert client.read(get_listing(), self.Listing).files == ["a.html"]

    @pytest.mark.parametrize("body", [b"{", b'{"files": [1]}', b"{}", b'{"files": ["\xff"]}'])
    def test_is_temporary_for_json_that_does_not_fit(self, answering: Callable[[bytes], None], body: bytes) -> None:
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        answer = get_listing()
        with pytest.raises(TemporaryUpstreamError) as caught:
            client.read(answer, self.Listing)
        assert (caught.value.operation, caught.value.excerpt) == ("GET files-api/files", body.decode(errors="replace"))


class TestPathSegment:
    def test_encodes_what_would_end_it(self) -> None:
        assert client.path_segment("a/b?c#d%\0ż") == "a%2Fb%3Fc%23d%25%00%C5%BC"

    @pytest.mark.parametrize("name", ["", ".", ".."])
    def test_refuses_what_clients_resolve(self, name: str) -> None:
        with pytest.raises(ValueError, match="cannot be a name in a URL"):
            client.path_segment(name)


class TestUpstreamError:
    def test_survives_pickling(self) -> None:
        error = TemporaryUpstreamError("it broke", operation="GET a", status=500, excerpt="oops")
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        assert isinstance(copy, UpstreamError)
        assert (str(copy), copy.operation, copy.status, copy.excerpt) == ("it broke", "GET a", 500, "oops")

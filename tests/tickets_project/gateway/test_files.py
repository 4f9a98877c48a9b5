"""The files client against the simulated files service."""

from collections.abc import Callable

import pytest
import requests
from structlog.testing import capture_logs

from tickets_project.gateway import files
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError
from tickets_project.gateway.files import Storing
from tickets_project.gateway.simulator.server import Simulator

STRANGE_IDS = ["../a.html", "a/b", "a?b#c", "100%", "%2e%2e", "zażółć 😀", "a\0b", "...", "a\r\nb", "+ &;="]


class TestStore:
    def test_stores_html(self, simulator: Simulator, http: requests.Session) -> None:
        assert files.store("1-ticket.html", "<p>zażółć") is Storing.STORED
        answer = http.get(f"{simulator.url}/files-api/files/1-ticket.html/content")
        assert (answer.text, answer.headers["Content-Type"]) == ("<p>zażółć", "text/html; charset=utf-8")

    @pytest.mark.usefixtures("simulator")
    def test_succeeds_for_an_existing_file_and_logs_its_id(self) -> None:
        files.store("1-ticket.html", "first")
        with capture_logs() as lines:
            assert files.store("1-ticket.html", "second") is Storing.ALREADY_STORED
        assert lines == [{"event": "file_already_stored", "file_id": "1-ticket.html", "log_level": "info"}]
        assert files.fetch("1-ticket.html") == "first"

    def test_takes_200_for_stored(self, fault: Callable[..., None]) -> None:
        fault("files.put", status=200)
        assert files.store("1-ticket.html", "x") is Storing.STORED

    def test_stores_once_when_the_answer_was_lost(self, fault: Callable[..., None]) -> None:
        fault("files.put", drop="after")
        with pytest.raises(TemporaryUpstreamError):
            files.store("1-ticket.html", "x")
        assert files.store("1-ticket.html", "x") is Storing.ALREADY_STORED

    def test_raises_for_other_answers(self, fault: Callable[..., None]) -> None:
        fault("files.put", status=500)
        with pytest.raises(TemporaryUpstreamError):
            files.store("1-ticket.html", "x")
        fault("files.put", status=403)
        with pytest.raises(PermanentUpstreamError):
            files.store("1-ticket.html", "x")

    @pytest.mark.parametrize("file_id", STRANGE_IDS)
    @pytest.mark.usefixtures("simulator")
    def test_takes_any_file_id(self, file_id: str) -> None:
        assert files.store(file_id, file_id) is Storing.STORED
        assert (files.fetch(file_id), files.listing()) == (file_id, [file_id])

    @pytest.mark.parametrize("file_id", ["", ".", ".."])
    @pytest.mark.usefixtures("simulator")
    def test_refuses_a_file_id_that_no_url_holds(self, file_id: str) -> None:
        with pytest.raises(ValueError, match="cannot be a name in a URL"):
            files.store(file_id, "x")


class TestFetch:
    @pytest.mark.usefixtures("simulator")
    def test_returns_none_for_no_file(self) -> None:
        assert files.fetch("1-ticket.html") is None

    def test_reads_utf8_whatever_the_content_type(self, answering: Callable[[bytes], None]) -> None:
        answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n\xc5\xbc")
        assert files.fetch("1-ticket.html") == "ż"

    def test_raises_for_other_answers(self, fault: Callable[..., None]) -> None:
        fault("files.content", status=409)
        with pytest.raises(PermanentUpstreamError):
            files.fetch("1-ticket.html")


class TestListing:
    @pytest.mark.usefixtures("simulator")
    def test_returns_all_ids(self) -> None:
        assert files.listing() == []
        files.store("b", "x")
        files.store("a", "x")
        assert files.listing() == ["a", "b"]

    def test_is_temporary_for_a_strange_answer(self, answering: Callable[[bytes], None]) -> None:
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")
        with pytest.raises(TemporaryUpstreamError):
            files.listing()

"""The trace, the two forms of a path, and what cannot be read."""

from io import BytesIO
from typing import NoReturn

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from tickets_project.api.middleware import ReadableMiddleware

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class TestCorrelationMiddleware:
    @pytest.mark.parametrize("given", ["a", "a" * 128, "A0._:-"])
    def test_takes_a_sound_id_and_answers_it(self, given: str) -> None:
        response = APIClient().get("/health/live", headers={"Correlation-ID": given})
        assert response.headers["Correlation-ID"] == given
        assert f" {given} " in response.content.decode()

    @pytest.mark.parametrize("given", ["", "a" * 129, "a b", "a\n", "é", "<script>"])
    def test_makes_its_own_instead_of_an_odd_one(self, given: str) -> None:
        response = APIClient().get("/health/live", headers={"Correlation-ID": given})
        assert response.headers["Correlation-ID"] != given
        assert len(response.headers["Correlation-ID"]) == 36

    def test_gives_each_request_its_own(self) -> None:
        first, second = APIClient().get("/health/live"), APIClient().get("/health/live")
        assert first.headers["Correlation-ID"] != second.headers["Correlation-ID"]

    def test_passes_a_traceparent_on(self) -> None:
        response = APIClient().get("/health/live", headers={"traceparent": TRACEPARENT})
        assert response.content.decode().endswith(TRACEPARENT)

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "x",
            TRACEPARENT.upper(),
            "ff" + TRACEPARENT[2:],
            "00-" + "0" * 32 + TRACEPARENT[35:],
            TRACEPARENT + "-00",
        ],
    )
    def test_drops_an_odd_traceparent(self, given: str) -> None:
        response = APIClient().get("/health/live", headers={"traceparent": given})
        assert response.content.decode().endswith(" None")

    def test_logs_one_line_without_the_query(self) -> None:
        with capture_logs() as lines:
            APIClient().get("/health/live/?token=secret")
        (line,) = lines
        assert line.pop("duration_ms") >= 0
        assert line == {
            "event": "request_finished",
            "log_level": "info",
            "method": "GET",
            "path": "/health/live/",
            "status": 200,
        }

    @pytest.mark.django_db
    def test_answers_the_id_of_a_crash_too(self, stranger: APIClient) -> None:
        response = stranger.get("/api/v1/refusals/crash/", headers={"Correlation-ID": "mine"})
        assert (response.status_code, response.headers["Correlation-ID"]) == (500, "mine")


class TestEitherSlashMiddleware:
    @pytest.mark.parametrize("path", ["/health/live", "/health/live/", "/api/v1/ticket.svg", "/api/v1/ticket.svg/"])
    def test_answers_both_forms(self, path: str) -> None:
        assert APIClient().get(path).status_code == 200

    @pytest.mark.django_db
    @pytest.mark.parametrize("path", ["/api/v1/everything", "/api/v1/everything/"])
    def test_keeps_the_body_of_a_post(self, path: str) -> None:
        response = APIClient().post(path, {"text": "kept"})
        assert (response.status_code, response.json()) == (200, {"text": "kept"})

    def test_gives_the_view_the_route_s_own_path(self) -> None:
        assert APIClient().get("/health/live/").content.startswith(b"/health/live ")

    def test_leaves_other_paths_to_django(self) -> None:
        assert APIClient().get("/page").status_code == 301

    @pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/v1/nowhere/", "/api/", "/health/"])
    def test_does_not_invent_routes(self, path: str) -> None:
        assert APIClient().get(path).status_code == 404


@pytest.mark.django_db
class TestReadableMiddleware:
    def test_wants_the_length_of_a_body(self) -> None:
        # A server takes the chunks apart and says no length, so that the body would be read as empty.
        response = APIClient().generic("POST", "/api/v1/groups/door/", "", headers={"Transfer-Encoding": "chunked"})
        assert (response.status_code, response.json()["code"]) == (411, "length_required")
        assert response.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("address", ["/health/live?a=%00", "/api/v1/groups/%00/"])
    def test_takes_no_nul(self, address: str) -> None:
        response = APIClient().get(address)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")

    @pytest.mark.parametrize("address", ["/api/v1/groups/door/", "/api/v1/groups/door/?a=%00"])
    def test_reads_a_body_that_was_refused_unread(self, address: str) -> None:
        request = RequestFactory().post(address, {"text": "unread"}, content_type="application/json")
        assert _refused(request).status_code in {400, 401}
        assert request.read() == b""

    def test_reads_no_more_than_a_body_may_have(self, settings: Settings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 4
        request = RequestFactory().generic("POST", "/api/v1/groups/door/", "abcdef")
        _refused(request)
        assert request.read() == b"ef"

    def test_answers_although_the_rest_of_the_body_never_comes(self) -> None:
        request = WSGIRequest({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "2", "wsgi.input": _Gone()})
        assert _refused(request).status_code == 401


class _Gone(BytesIO):
    """The body of a client that has hung up."""

    def read(self, _size: int | None = -1, /) -> NoReturn:
        raise ConnectionResetError


def _refused(request: HttpRequest) -> HttpResponse:
    return ReadableMiddleware(lambda _request: HttpResponse(status=401))(request)

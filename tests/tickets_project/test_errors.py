"""How each refusal becomes HTTP."""

from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from pytest_django import Settings
from rest_framework.test import APIClient

from tickets_project.errors import problem_response

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ground(settings: Settings, tmp_path: Path) -> None:
    settings.ROOT_URLCONF = "tests.tickets_project.api.routes"
    settings.STATIC_ROOT = tmp_path


def get(path: str, **headers: str) -> Any:
    return APIClient(raise_request_exception=False).get(path, headers=headers)


def refused(name: str, **headers: str) -> Any:
    return get(f"/api/v1/refusals/{name}/", **headers)


class TestProblemResponse:
    @pytest.mark.parametrize(
        ("name", "status", "code", "detail"),
        [
            ("full", 409, "show_full", "The show has no seats left."),
            ("own-words", 409, "show_full", "Sorry, full."),
            ("input", 400, "invalid", "No."),
            ("missing", 404, "not_found", "There is no such object."),
            ("http404", 404, "not_found", "Not found."),
            ("denied", 403, "permission_denied", "You do not have permission to perform this action."),
            ("drf-denied", 403, "permission_denied", "You do not have permission to perform this action."),
            ("throttled", 429, "throttled", "Request was throttled."),
            ("nested", 400, "invalid", "The request is not acceptable."),
            ("suspicious", 400, "malformed", "The request is malformed."),
            ("crash", 500, "server_error", "Something went wrong on our side; it has been logged."),
        ],
    )
    def test_says_what_happened(self, name: str, status: int, code: str, detail: str) -> None:
        response = refused(name)
        body = response.json()
        assert response.status_code == body["status"] == status
        assert response.headers["Content-Type"] == "application/problem+json"
        assert (body["code"], body["detail"], body["type"]) == (code, detail, "about:blank")

    def test_has_the_status_s_phrase_for_title(self) -> None:
        assert (refused("full").json()["title"], refused("missing").json()["title"]) == ("Conflict", "Not Found")

    def test_carries_a_refusal_s_own_fields_but_lets_none_replace_ours(self) -> None:
        body = refused("full").json()
        assert (body["seats_left"], body["current_status"], body["code"]) == (0, "sold_out", "show_full")

    def test_keeps_errors_nested(self) -> None:
        assert refused("nested").json()["errors"] == {"price": {"amount": ["No."]}}
        assert refused("plain").json()["errors"] == {"non_field_errors": ["No."]}

    def test_can_quote_what_no_text_may_hold(self) -> None:
        assert refused("quoted").status_code == 400

    def test_says_when_to_come_again(self) -> None:
        assert refused("throttled").headers["Retry-After"] == "1"

    def test_is_401_in_a_view_without_authentication_too(self) -> None:
        response = APIClient().post("/api/v1/signed/", {})
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")

    @pytest.mark.parametrize("accept", ["application/json", "*/*", "application/problem+json, */*"])
    def test_is_a_problem_whatever_is_accepted(self, accept: str) -> None:
        assert refused("full", accept=accept).headers["Content-Type"] == "application/problem+json"

    def test_refuses_what_it_cannot_answer_in(self) -> None:
        response = get("/api/v1/refusals/full/", accept="text/csv")
        assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")

    def test_is_json_where_the_view_answers_html(self) -> None:
        response = get("/api/v1/document/")
        assert (response.status_code, response.json()["detail"]) == (404, "It has not been printed yet.")

    def test_refuses_another_method(self) -> None:
        response = APIClient().put("/api/v1/everything/", {})
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")

    def test_tells_no_secret_of_a_crash(self) -> None:
        assert b"secret" not in refused("crash").content


class TestHandlers:
    def test_answer_a_problem_under_the_api(self) -> None:
        response = get("/api/v1/nowhere/")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_leave_other_pages_to_django(self) -> None:
        for path, status in (("/nowhere/", 404), ("/crash/", 500), ("/deny/", 403)):
            response = get(path)
            assert response.status_code == status
            assert response.headers["Content-Type"].startswith("text/html")

    @pytest.mark.parametrize(
        ("path", "says"), [("/deny/", "You may not do this"), ("/nowhere/", "There is no such page")]
    )
    def test_lead_back_to_the_first_page(self, path: str, says: str) -> None:
        page = get(path).content.decode()
        assert says in page
        assert '<a href="/">' in page

    def test_answer_a_view_that_is_not_of_rest_framework(self) -> None:
        response = get("/api/deny/")
        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")

    def test_answer_a_host_that_is_not_ours(self) -> None:
        assert get("/page/", host="evil.example").headers["Content-Type"].startswith("text/html")
        response = get("/api/v1/everything/", host="evil.example")
        assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")


class TestOutage:
    @pytest.mark.parametrize("error", [OperationalError("connection refused"), InterfaceError("connection is closed")])
    def test_of_the_database_asks_to_come_again(self, error: Exception) -> None:
        problem = problem_response(error, {})
        assert problem is not None
        assert (problem.status_code, problem.data["code"]) == (503, "database_unavailable")
        assert problem.headers["Retry-After"] == "5"

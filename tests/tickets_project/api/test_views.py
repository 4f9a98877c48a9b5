"""Tokens, given and taken back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

LOGIN = "/api/v1/auth/login/"


def login(username: Any = "ada", password: Any = "difference engine", **more: Any) -> Any:  # noqa: S107
    return APIClient(raise_request_exception=False).post(LOGIN, {"username": username, "password": password, **more})


@pytest.mark.usefixtures("ada")
class TestLoginView:
    def test_gives_a_token_that_works(self) -> None:
        answer = login()
        assert answer.status_code == 200
        assert set(answer.json()) == {"token", "expiry"}
        expiry = datetime.fromisoformat(answer.json()["expiry"])
        assert timedelta(days=29) < expiry - timezone.now() <= timedelta(days=30)
        token = answer.json()["token"]
        assert APIClient().get("/api/v1/whoami/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert not AuthToken.objects.filter(digest=token).exists()
        assert User.objects.get().last_login

    def test_tells_nothing_of_what_was_wrong(self) -> None:
        User.objects.create_user("gone", password="difference engine", is_active=False)
        answers = [login("nobody"), login(password="wrong"), login("gone")]
        assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
        assert answers[0].headers["WWW-Authenticate"] == "Bearer"
        assert answers[0].json()["detail"] == "The username or the password is wrong."

    def test_needs_both(self) -> None:
        response = APIClient().post(LOGIN, {})
        assert (response.status_code, set(response.json()["errors"])) == (400, {"username", "password"})

    @pytest.mark.parametrize(
        "body",
        [{"colour": "red"}, {"username": "a\x00"}, {"password": "a\x00"}, {"username": []}, {"username": "a" * 151}],
    )
    def test_refuses_odd_bodies(self, body: dict[str, Any]) -> None:
        assert login(**body).status_code == 400

    def test_keeps_the_blanks_of_a_password(self) -> None:
        assert login(password=" difference engine").status_code == 401

    def test_lets_somebody_with_an_old_token_in(self) -> None:
        client = APIClient(headers={"Authorization": "Bearer old"})
        answer = client.post(LOGIN, {"username": "ada", "password": "difference engine"})
        assert answer.status_code == 200

    def test_counts_the_attempts(self) -> None:
        statuses = [login(f"somebody{number}").status_code for number in range(10)]
        refused = login()
        assert statuses == [401] * 10
        assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60

    def test_answers_only_post(self) -> None:
        response = APIClient().get(LOGIN)
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
        assert "POST" in response.headers["Allow"]


class TestLogoutView:
    def test_makes_the_token_worthless(self, caller: APIClient) -> None:
        assert caller.post("/api/v1/auth/logout/").status_code == 204
        assert caller.get("/api/v1/whoami/").status_code == 401

    @pytest.mark.django_db
    def test_needs_a_token(self, stranger: APIClient) -> None:
        assert stranger.post("/api/v1/auth/logout/").status_code == 401

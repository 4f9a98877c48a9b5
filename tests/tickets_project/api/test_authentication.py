"""Who gets in, and what the others are told."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

WHOAMI = "/api/v1/whoami/"


def ask(header: str | None) -> Any:
    headers = {} if header is None else {"Authorization": header}
    return APIClient(raise_request_exception=False).get(WHOAMI, headers=headers)


@pytest.mark.django_db
class TestBearerAuthentication:
    def test_knows_the_token_s_user(self, ada: User) -> None:
        _, token = AuthToken.objects.create(user=ada)
        assert ask(f"Bearer {token}").json() == ask(f"bearer {token}").json() == {"username": "ada"}

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer a b", "Bearer unknown", "Bearer \xff\xfe", "Bearer a\x00b", "Bearer " + "é" * 9]
    )
    def test_refuses_what_is_no_token(self, header: str) -> None:
        response = ask(header)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert response.json()["code"] == "authentication_failed"

    @pytest.mark.parametrize("header", [None, "", "Basic YTpi", "nonsense"])
    def test_asks_for_a_token(self, header: str | None) -> None:
        response = ask(header)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json() == {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "Authentication credentials were not provided.",
            "code": "not_authenticated",
        }

    def test_refuses_an_expired_token(self, ada: User) -> None:
        _, token = AuthToken.objects.create(user=ada, expiry=timedelta(seconds=-1))
        assert ask(f"Bearer {token}").status_code == 401

    def test_asks_once_however_many_tokens_a_user_has(
        self, ada: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            AuthToken.objects.create(user=ada, expiry=timedelta(seconds=-1))
        _, token = AuthToken.objects.create(user=ada)
        with django_assert_num_queries(1):
            assert ask(f"Bearer {token}").status_code == 200

    def test_refuses_a_token_that_only_begins_like_one(self, ada: User) -> None:
        _, token = AuthToken.objects.create(user=ada)
        assert ask(f"Bearer {token[:-1]}0x").status_code == 401

    def test_refuses_an_inactive_user(self, ada: User) -> None:
        _, token = AuthToken.objects.create(user=ada)
        User.objects.update(is_active=False)
        assert ask(f"Bearer {token}").status_code == 401

    def test_leaves_room_for_the_admin_s_session(self, ada: User) -> None:
        client = APIClient()
        client.force_login(ada)
        assert client.get(WHOAMI).json() == {"username": "ada"}

    def test_asks_a_session_for_its_csrf_token(self, ada: User) -> None:
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(ada)
        response = client.post("/api/v1/everything/", {})
        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")

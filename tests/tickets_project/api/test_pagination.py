"""Lists in pages."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

USERS = "/api/v1/users/"


def make_users(*names: str) -> None:
    # One moment for all: the second column of the ordering has to tell them apart.
    User.objects.bulk_create(User(username=name, date_joined=datetime(2026, 1, 1, tzinfo=UTC)) for name in names)


def names(page: Any) -> list[str]:
    return [row["username"] for row in page["results"]]


def walk(url: str | None, direction: str) -> list[str]:
    seen = []
    while url:
        page = APIClient().get(url).json()
        seen.append(names(page))
        url = page[direction]
    return [name for page in (seen if direction == "next" else reversed(seen)) for name in page]


@pytest.mark.django_db
class TestStableCursorPagination:
    def test_answers_results_next_and_previous(self) -> None:
        make_users("ada")
        assert APIClient().get(USERS).json() == {"next": None, "previous": None, "results": [{"username": "ada"}]}

    @pytest.mark.parametrize("path", [USERS, "/api/v1/users-by-name/", "/api/v1/users-by-key/"])
    @pytest.mark.parametrize("size", [1, 3, 10])
    def test_walks_over_every_row_once(self, path: str, size: int) -> None:
        made = [f"user{number:02}" for number in range(10)]
        make_users(*made)
        walked = walk(f"{path}?page_size={size}", "next")
        assert walked == (made[::-1] if "key" in path else made)

    @pytest.mark.parametrize("size", [1, 3, 7, 10])
    def test_walks_back(self, size: int) -> None:
        make_users(*[f"user{number:02}" for number in range(7)])
        url: str | None = f"{USERS}?page_size={size}"
        while following := APIClient().get(url or "").json()["next"]:
            url = following
        assert walk(url, "previous") == [f"user{number:02}" for number in range(7)]

    def test_turns_around_anywhere(self) -> None:
        make_users(*[f"user{number:02}" for number in range(7)])
        first = APIClient().get(f"{USERS}?page_size=3").json()
        second = APIClient().get(first["next"]).json()
        back = APIClient().get(second["previous"]).json()
        assert (names(back), back["previous"], back["next"]) == (names(first), None, first["next"])

    def test_neither_repeats_nor_loses_a_row_while_others_insert(self) -> None:
        make_users("b", "c", "d")
        first = APIClient().get("/api/v1/users-by-key/?page_size=2").json()
        make_users("e")
        assert names(first) + walk(first["next"], "next") == ["d", "c", "b"]

    def test_has_25_rows_by_default_and_100_at_most(self) -> None:
        make_users(*[f"user{number}" for number in range(120)])
        sizes = [
            len(APIClient().get(USERS + query).json()["results"])
            for query in ("", "?page_size=101", "?page_size=" + "9" * 5000)
        ]
        assert sizes == [25, 100, 100]

    @pytest.mark.parametrize("size", ["0", "000", "-1", "x", "", "1.5", "²", "٣"])
    def test_refuses_a_page_size_that_is_none(self, size: str) -> None:
        response = APIClient().get(USERS, {"page_size": size})
        assert response.status_code == 400
        assert response.json()["errors"] == {"page_size": ["Give a whole number from 1 to 100."]}

    @pytest.mark.parametrize("text", ["", "x", "é", "%", "a:b", "W10:x", "a" * 10_000])
    def test_refuses_a_broken_cursor(self, text: str) -> None:
        response = APIClient(raise_request_exception=False).get(USERS, {"cursor": text})
        assert (response.status_code, list(response.json()["errors"])) == (400, ["cursor"])

    def test_refuses_a_cursor_of_another_ordering(self) -> None:
        make_users("ada", "bob")
        following = APIClient().get(f"{USERS}?page_size=1").json()["next"]
        response = APIClient().get(following.replace("/users/", "/users-by-name/"))
        assert (response.status_code, list(response.json()["errors"])) == (400, ["cursor"])

    def test_keeps_the_other_parameters(self) -> None:
        make_users("ada", "bob")
        assert "colour=red&" in APIClient().get(f"{USERS}?colour=red&page_size=1").json()["next"]

    def test_answers_an_empty_page_where_the_rest_is_gone(self) -> None:
        make_users("ada", "bob")
        following = APIClient().get(f"{USERS}?page_size=1").json()["next"]
        User.objects.all().delete()
        assert APIClient().get(following).json() == {"next": None, "previous": None, "results": []}

"""A request that comes again."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection
from django.utils import timezone
from rest_framework.test import APIClient

from tests.tickets_project.api.clients import with_token
from tests.tickets_project.api.routes import Groups
from tickets_project.api.idempotency import KEPT_FOR, forget_expired
from tickets_project.api.models import IdempotencyKey

DOOR = "/api/v1/groups/door/"


@pytest.fixture(autouse=True)
def _no_groups_yet(db: None) -> None:  # noqa: ARG001 - opens the database
    Group.objects.all().delete()


def post(client: APIClient, key: str | None = "k1", path: str = DOOR, **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, body, headers=headers)


def keep(*, age: timedelta, key: str = "k1", caller: str = "anonymous") -> None:
    IdempotencyKey.objects.create(
        caller=caller, key=key, fingerprint="another", status=200, body="{}", created_at=timezone.now() - age
    )


@pytest.mark.django_db
class TestIdempotent:
    def test_answers_the_same_again(self, caller: APIClient) -> None:
        first, second = post(caller), post(caller)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.content == second.content
        assert first.headers["Location"] == second.headers["Location"]
        assert first.headers["Content-Type"] == second.headers["Content-Type"]
        assert "Idempotent-Replayed" not in first.headers
        assert second.headers["Idempotent-Replayed"] == "true"
        assert Group.objects.count() == 1

    def test_answers_an_empty_body_again(self, caller: APIClient) -> None:
        answers = [caller.delete(DOOR, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2

    def test_takes_the_same_fields_in_another_order_for_the_same_body(self, caller: APIClient) -> None:
        post(caller, a="1", b="2")
        assert post(caller, b="2", a="1").headers["Idempotent-Replayed"] == "true"

    def test_takes_both_slash_forms_for_the_same_path(self, caller: APIClient) -> None:
        post(caller)
        assert post(caller, path=DOOR.removesuffix("/")).headers["Idempotent-Replayed"] == "true"

    @pytest.mark.parametrize(("path", "body"), [(DOOR, {"a": "2"}), ("/api/v1/groups/finance/", {"a": "1"})])
    def test_refuses_the_key_for_another_request(self, caller: APIClient, path: str, body: dict[str, str]) -> None:
        post(caller, a="1")
        response = post(caller, path=path, **body)
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
        assert Group.objects.count() == 1

    def test_refuses_the_key_for_another_method(self, caller: APIClient) -> None:
        post(caller)
        assert caller.delete(DOOR, headers={"Idempotency-Key": "k1"}).status_code == 422

    def test_keeps_keys_per_caller(self, caller: APIClient, stranger: APIClient) -> None:
        bob = with_token(User.objects.create_user("bob"))
        answers = [
            post(client, path=f"/api/v1/groups/{number}/") for number, client in enumerate((caller, bob, stranger))
        ]
        assert [answer.status_code for answer in answers] == [201] * 3

    @pytest.mark.parametrize("key", ["", "a" * 256, "é", "a\tb", "\x7f"])
    def test_refuses_an_odd_key(self, caller: APIClient, key: str) -> None:
        response = post(caller, key)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_idempotency_key")

    @pytest.mark.parametrize("key", ["a", "~" * 255, '"quoted key"'])
    def test_takes_printable_ascii(self, caller: APIClient, key: str) -> None:
        assert [post(caller, key).status_code for _ in range(2)] == [201, 201]

    def test_stores_nothing_without_a_key(self, caller: APIClient) -> None:
        post(caller, None)
        assert not IdempotencyKey.objects.exists()

    def test_refuses_a_body_that_is_none_before_anything_is_stored(self, caller: APIClient) -> None:
        response = caller.post(DOOR, b"{", content_type="application/json", headers={"Idempotency-Key": "k"})
        assert (response.status_code, response.json()["code"]) == (400, "malformed")

    def test_needs_a_key_where_the_view_says_so(self, caller: APIClient) -> None:
        response = post(caller, None, "/api/v1/keyed-groups/")
        assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_required")
        assert post(caller, "k", "/api/v1/keyed-groups/").status_code == 200

    def test_writes_over_an_expired_answer(self, stranger: APIClient) -> None:
        keep(age=KEPT_FOR)
        assert "Idempotent-Replayed" not in post(stranger).headers
        assert post(stranger).headers["Idempotent-Replayed"] == "true"
        assert IdempotencyKey.objects.count() == 1

    def test_keeps_an_answer_for_a_day(self, stranger: APIClient) -> None:
        keep(age=KEPT_FOR - timedelta(minutes=1))
        assert post(stranger).status_code == 422

    def test_is_one_row_per_caller_and_key(self) -> None:
        keep(age=timedelta())
        with pytest.raises(IntegrityError):
            keep(age=timedelta())


@pytest.mark.django_db(transaction=True)
class TestIdempotentTransaction:
    @pytest.mark.parametrize(("end", "status"), [("raise", 409), ("crash", 500)])
    def test_leaves_neither_change_nor_answer_when_the_view_raises(
        self, stranger: APIClient, end: str, status: int
    ) -> None:
        assert post(stranger, end=end).status_code == status
        assert not Group.objects.exists()
        assert not IdempotencyKey.objects.exists()

    def test_keeps_the_change_of_a_refusal_that_is_returned(self, stranger: APIClient) -> None:
        response = post(stranger, end="return")
        assert (response.status_code, response.json()["code"]) == (409, "show_full")
        assert Group.objects.exists()
        assert not IdempotencyKey.objects.exists()

    def test_lets_a_refused_request_be_tried_again(self, stranger: APIClient) -> None:
        Group.objects.create(name="full")
        assert post(stranger).status_code == 409
        Group.objects.all().delete()
        assert post(stranger).status_code == 201


@pytest.fixture
def waiting() -> Iterator[str]:
    """Return a key whose first request is inside its view until the test ends it."""
    Groups.entered.clear()
    Groups.leave.clear()
    yield str(uuid4())
    Groups.leave.set()


def in_a_thread(client: APIClient, key: str | None, **body: Any) -> Any:
    try:
        return post(client, key, **body)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
class TestIdempotentConcurrency:
    def test_refuses_while_the_first_is_still_running(self, stranger: APIClient, waiting: str) -> None:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(in_a_thread, APIClient(), waiting, end="wait")
            assert Groups.entered.wait(10)
            second, other_key = post(stranger, waiting, end="wait"), post(stranger, "k2", path="/api/v1/groups/other/")
            Groups.leave.set()
            assert first.result().status_code == 201
        assert (second.status_code, second.json()["code"]) == (409, "request_in_progress")
        assert second.headers["Retry-After"] == "1"
        assert other_key.status_code == 201
        assert post(stranger, waiting, end="wait").headers["Idempotent-Replayed"] == "true"

    def test_lets_another_caller_use_the_key_meanwhile(self, ada: User, waiting: str) -> None:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(in_a_thread, APIClient(), waiting, end="wait")
            assert Groups.entered.wait(10)
            assert post(with_token(ada), waiting, path="/api/v1/groups/other/").status_code == 201
            Groups.leave.set()
            assert first.result().status_code == 201

    @pytest.mark.parametrize(("key", "times"), [("k", 1), (None, 40)])
    def test_does_the_work_once_for_many_at_a_time(self, key: str | None, times: int) -> None:
        """Without the key there is nothing between them."""
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(in_a_thread, APIClient(raise_request_exception=False), key) for _ in range(40)]
        answers = [answer.result() for answer in asked]
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.content for answer in answers if answer.status_code == 201}) == times
        assert Group.objects.count() == times


@pytest.mark.django_db
class TestForgetExpired:
    def test_deletes_what_is_past_its_day(self) -> None:
        keep(age=KEPT_FOR, key="old")
        keep(age=KEPT_FOR - timedelta(minutes=1), key="young")
        assert forget_expired(timezone.now()) == 1
        assert [row.key for row in IdempotencyKey.objects.all()] == ["young"]

    def test_goes_on_past_one_batch(self) -> None:
        long_ago = timezone.now() - timedelta(days=3)
        IdempotencyKey.objects.bulk_create(
            IdempotencyKey(caller="1", key=str(number), fingerprint="", status=200, created_at=long_ago)
            for number in range(2001)
        )
        assert forget_expired(timezone.now()) == 2001
        assert forget_expired(timezone.now()) == 0

    def test_names_a_row_by_caller_and_key(self) -> None:
        assert re.fullmatch("7: abc", str(IdempotencyKey(caller="7", key="abc")))

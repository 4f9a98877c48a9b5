"""The cache in Redis: limits are kept while it is there, and nobody is refused while it is away."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.redis_server import redis_server

LOGIN = "/api/v1/auth/login/"


def logins(count: int) -> list[int]:
    client = APIClient()
    return [client.post(LOGIN, {"username": "ada", "password": "wrong"}).status_code for _ in range(count)]


def use(settings: Settings, url: str) -> None:
    settings.CACHES = {"default": {"BACKEND": "tickets_project.redis_cache.RedisCache", "LOCATION": url}}


class TestRedisCache:
    @pytest.fixture(autouse=True)
    def _redis(self, settings: Settings) -> Iterator[None]:
        with redis_server() as url:
            use(settings, url)
            yield

    def test_keeps_what_is_set(self) -> None:
        cache.set("name", [1])
        assert cache.get("name") == [1]
        assert cache.get("other", "none") == "none"

    @pytest.mark.django_db
    def test_counts_for_the_limits(self) -> None:
        assert logins(12) == [401] * 10 + [429] * 2


class TestRedisCacheAway:
    @pytest.fixture(autouse=True)
    def _away(self, settings: Settings) -> None:
        use(settings, "redis://127.0.0.1:1/0")

    def test_has_nothing_and_keeps_nothing(self) -> None:
        cache.set("name", 1)
        assert cache.get("name") is None
        assert cache.get("name", []) == []

    @pytest.mark.django_db
    def test_limits_nobody(self) -> None:
        assert logins(12) == [401] * 12

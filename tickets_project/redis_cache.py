"""The cache in Redis, for what is only counted there."""

from typing import Any

from django.core.cache.backends import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT

from tickets_project.redis_away import OPTIONS, Asking


class RedisCache(redis.RedisCache):
    """Django's; while Redis is away, what is asked for is not there, and what is set is lost.

    Better no limits for a while than no answers.
    """

    def __init__(self, server: str, parameters: dict[str, Any]) -> None:
        super().__init__(server, {**parameters, "OPTIONS": OPTIONS})
        self._redis = Asking()

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return what is stored, or the default."""
        return self._redis.ask(lambda: super(RedisCache, self).get(key, default, version), otherwise=default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Store it."""
        self._redis.ask(lambda: super(RedisCache, self).set(key, value, timeout, version), otherwise=None)

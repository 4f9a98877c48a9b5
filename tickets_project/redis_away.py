"""Redis as it is asked here: it answers within two seconds, or counts as away, and nobody stops working for that."""

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import structlog
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

T = TypeVar("T")

OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 1,
    # Longer than the second that a reader of the queue waits for a task.
    "socket_timeout": 2,
    "socket_keepalive": True,
    # Once, since a connection that was kept may be one from before a restart.
    "retry": Retry(NoBackoff(), 1),
}
_LEFT_ALONE_SECONDS = 10

log = structlog.get_logger(__name__)


class Asking:
    """Asks Redis; when it does not answer, not again for ten seconds."""

    def __init__(self) -> None:
        self._left_alone_until = 0.0

    def ask(self, question: Callable[[], T], *, otherwise: T) -> T:
        """Return the answer, or the other when Redis is away."""
        if monotonic() < self._left_alone_until:
            return otherwise
        try:
            return question()
        except RedisError as error:
            self._left_alone_until = monotonic() + _LEFT_ALONE_SECONDS
            log.warning("redis away", error=str(error))
            return otherwise

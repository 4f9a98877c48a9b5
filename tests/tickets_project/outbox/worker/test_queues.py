"""The queue of a cluster on Redis, which goes when nobody is left to read it."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django_q.conf import Conf

from tests.processes import eventually
from tickets_project.outbox.worker.queues import RedisQueue

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")

HOUR = 3600


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    """Run a server that keeps nothing, and have django-q2 use it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    url = f"redis://127.0.0.1:{port}/0"
    monkeypatch.setattr(Conf, "REDIS", url)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process, redis.from_url(url) as client:
        eventually(lambda: answers(client))
        yield client
        process.terminate()


def answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def seconds_left(server: "redis.Redis", queue: RedisQueue) -> int:
    left: Any = server.ttl(queue.list_key)
    return int(left)


class TestRedisQueue:
    def test_is_forgotten_an_hour_after_it_was_added_to(self, server: "redis.Redis") -> None:
        queue = RedisQueue("gone")
        assert [queue.enqueue("a"), queue.enqueue("b")] == [1, 2]
        assert HOUR - 60 < seconds_left(server, queue) <= HOUR
        server.expire(queue.list_key, 5)
        queue.enqueue("c")
        assert seconds_left(server, queue) > HOUR - 60

    def test_hands_its_tasks_out_in_their_order(self, server: "redis.Redis") -> None:
        queue = RedisQueue("living")
        for task in ("a", "b"):
            queue.enqueue(task)
        assert [queue.dequeue(), queue.dequeue()] == [[(None, b"a")], [(None, b"b")]]
        assert not server.exists(queue.list_key)

"""The queue of a cluster on Redis: it goes when nobody is left to read it, and the table stands in for Redis."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django_q.conf import Conf
from django_q.models import OrmQ

from tests.redis_server import redis_server
from tickets_project.outbox.worker.queues import RedisQueue

HOUR = 3600
AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    """Run a server, and have django-q2 use it."""
    with redis_server() as url, redis.from_url(url) as client:
        monkeypatch.setattr(Conf, "REDIS", url)
        yield client


@pytest.fixture
def _away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "REDIS", AWAY)
    monkeypatch.setattr(Conf, "POLL", 0)


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


@pytest.mark.django_db
@pytest.mark.usefixtures("_away")
class TestRedisQueueAway:
    def test_is_in_the_table(self) -> None:
        queue = RedisQueue("living")
        queue.enqueue("a")
        [(task_id, task)] = queue.dequeue()
        assert (task, RedisQueue("other").dequeue()) == ("a", None)
        queue.acknowledge(task_id)
        assert not OrmQ.objects.exists()

    def test_is_there_all_the_same(self) -> None:
        queue = RedisQueue("living")
        assert queue.ping()
        queue.set_stat("key", "value", 3)

    def test_forgets_what_cannot_be_read(self) -> None:
        queue = RedisQueue("living")
        queue.enqueue("a")
        queue.fail(queue.dequeue()[0][0])
        assert not OrmQ.objects.exists()

    def test_goes_with_its_cluster(self) -> None:
        RedisQueue("other").enqueue("b")
        queue = RedisQueue("living")
        queue.enqueue("a")
        queue.delete_queue()
        assert [row.key for row in OrmQ.objects.all()] == ["other"]

    def test_is_in_both_when_redis_is_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        RedisQueue("living").enqueue("earlier")
        with redis_server() as url:
            monkeypatch.setattr(Conf, "REDIS", url)
            queue = RedisQueue("living")
            queue.enqueue("later")
            assert {task for _ in range(2) for _, task in queue.dequeue()} == {b"later", "earlier"}

"""Who asks Redis does not wait for it, and does not ask it all the time while it is away."""

import socket
from collections.abc import Iterator
from time import monotonic

import pytest
import redis
from redis.exceptions import RedisError

from tickets_project import redis_away
from tickets_project.redis_away import OPTIONS, Asking


class Question:
    """Counts how often it was asked."""

    def __init__(self, answer: str | RedisError) -> None:
        self._answer, self.asked = answer, 0

    def __call__(self) -> str:
        self.asked += 1
        if isinstance(self._answer, RedisError):
            raise self._answer
        return self._answer


class TestAsking:
    def test_returns_the_answer(self) -> None:
        assert Asking().ask(Question("yes"), otherwise="no") == "yes"

    def test_leaves_one_alone_that_did_not_answer(self) -> None:
        asking, question = Asking(), Question(RedisError())
        assert [asking.ask(question, otherwise="no") for _ in range(3)] == ["no"] * 3
        assert question.asked == 1

    def test_asks_again_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(redis_away, "_LEFT_ALONE_SECONDS", 0)
        asking, question = Asking(), Question(RedisError())
        asking.ask(question, otherwise="no")
        asking.ask(question, otherwise="no")
        assert question.asked == 2

    def test_hides_no_other_error(self) -> None:
        with pytest.raises(ZeroDivisionError):
            Asking().ask(lambda: 1 // 0, otherwise=0)


class TestOptions:
    @pytest.fixture
    def silent(self) -> Iterator[int]:
        """Listen on a port, and never say a word."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield listener.getsockname()[1]

    def test_give_up_on_a_server_that_hangs(self, silent: int) -> None:
        began = monotonic()
        with redis.from_url(f"redis://127.0.0.1:{silent}/0", **OPTIONS) as client, pytest.raises(redis.TimeoutError):
            client.ping()
        assert monotonic() - began < 10

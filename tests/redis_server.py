"""A Redis server of a test's own, which keeps nothing."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import redis

from tests.processes import eventually


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a server until the end of the block; yield its URL."""
    if not shutil.which("redis-server"):
        pytest.skip("The tests with Redis need redis-server (Debian: redis-server).")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"redis://127.0.0.1:{port}/0"
            eventually(lambda: _answers(url))
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    with suppress(redis.ConnectionError), redis.from_url(url) as client:
        return bool(client.ping())
    return False

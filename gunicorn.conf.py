"""How gunicorn serves the project; it reads this file by itself when it starts in this folder."""

import os

from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):
    """A process with threads, whose stop takes no longer than its requests do.

    While it stops, gunicorn 26.2 waits for the next event without looking at the clock, and one connection that a
    client keeps open without asking anything holds it for the whole of ``graceful_timeout``.
    """

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Return within a second, so that connections are closed when ``keepalive`` is over."""
        super().wait_for_and_dispatch_events(min(timeout, 1))


worker_class = Worker
# A process for each core, and threads in it, since half of a request is waiting for PostgreSQL.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
control_socket_disable = True

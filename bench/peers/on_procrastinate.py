"""procrastinate with asynchronous tasks, ten at a time in each of two processes, and done jobs deleted."""

import asyncio

from bench.contending import answer, now
from bench.peers.procrastinate_app import AT_ONCE, app, task

_TOGETHER = 1000


def install() -> None:
    """Make its tables."""
    with app.open():
        app.schema_manager.apply_schema()


def enqueue(events: range) -> None:
    """Defer one job per event."""
    with app.open():
        for first in events[::_TOGETHER]:
            task.batch_defer(*({"event": event} for event in events[first : first + _TOGETHER]))


def send(event: int) -> float:
    """Defer the job of one event."""
    with app.open():
        moment = now()
        task.defer(event=event)
        return moment


def work() -> None:
    """Run one worker process; the benchmark starts two."""
    asyncio.run(_work())


async def _work() -> None:
    async with app.open_async():
        await app.run_worker_async(concurrency=AT_ONCE, delete_jobs="always")


if __name__ == "__main__":
    answer(install=install, enqueue=enqueue, send=send, work=work)

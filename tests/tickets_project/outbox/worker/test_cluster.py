"""The queue between the processes of a cluster, when its readers are killed."""

import multiprocessing
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import Empty

import psutil
import pytest
from django_q.queues import Queue

from tests.processes import eventually
from tickets_project.outbox.worker.cluster import SturdyQueue

FORK = multiprocessing.get_context("fork")


def read(queue: Queue, begun: Connection, results: Queue) -> None:
    # Unlike an Event this never waits, and what waits next is the queue.
    begun.send("begun")
    for item in iter(queue.get, "STOP"):
        results.put(item)


def reader(queue: Queue, results: Queue) -> BaseProcess:
    """Start a process that reads, and return it when it waits for something to read."""
    here, there = FORK.Pipe()
    process = FORK.Process(target=read, args=(queue, there, results), daemon=True)
    process.start()
    assert here.recv() == "begun"
    eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING)
    return process


def is_read_after_a_kill(queue: Queue) -> bool:
    """Kill a reader while it waits; tell whether another one reads then."""
    results = Queue()
    killed = reader(queue, results)
    killed.kill()
    killed.join()
    other = reader(queue, results)
    queue.put("read")
    try:
        return bool(results.get(timeout=3) == "read")
    except Empty:
        return False
    finally:
        other.kill()
        other.join()


class TestSturdyQueue:
    def test_outlives_a_reader_that_is_killed_while_it_waits(self) -> None:
        assert is_read_after_a_kill(SturdyQueue())

    def test_is_needed_because_that_of_django_q2_does_not(self) -> None:
        assert not is_read_after_a_kill(Queue())

    def test_gives_each_object_to_one_reader(self) -> None:
        queue, results = SturdyQueue(), Queue()
        readers = [reader(queue, results) for _ in range(4)]
        for item in [*range(500), *["STOP"] * len(readers)]:
            queue.put(item)
        read_once = Counter(results.get(timeout=10) for _ in range(500))
        for process in readers:
            process.join(10)
        assert read_once == dict.fromkeys(range(500), 1)
        assert [process.exitcode for process in readers] == [0] * len(readers)

    def test_says_that_it_is_empty_when_nobody_waits(self) -> None:
        with pytest.raises(Empty):
            SturdyQueue().get(block=False)
        with pytest.raises(Empty):
            SturdyQueue().get(timeout=0.01)

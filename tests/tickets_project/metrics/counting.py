"""A process that counts deliveries under a topic of its own, says so, and stays until it is killed or told to end.

Its arguments are the topic, how many it counts, and whether it counts in a child.
"""

import os
import sys

import django

django.setup()

from tickets_project.metrics.counters import count_delivered  # noqa: E402 - Django comes first


def count(topic: str, times: int) -> None:
    """Count, and say when it is done."""
    for _ in range(times):
        count_delivered(topic, "things.listen", seconds=0.02)
    sys.stdout.write(f"{topic}\n")
    sys.stdout.flush()


def main(topic: str, times: str, forks: str) -> None:
    """Count once in this process, and if asked to in a child too."""
    count(topic, int(times))
    if forks == "forks" and (child := os.fork()) == 0:
        count(topic, int(times))
        os._exit(0)
    elif forks == "forks":
        os.waitpid(child, 0)
        count(topic, int(times))
    sys.stdin.read()


main(*sys.argv[1:])

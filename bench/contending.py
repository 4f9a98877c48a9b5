"""What each contender is asked on its command line; the same for ours and the peers.

`install` makes its tables, `enqueue N` leaves it a backlog, `trickle N` sends one event at a time and prints when each
was committed, `work` runs its workers until SIGTERM.
"""

import json
import random
import sys
from collections.abc import Callable
from time import sleep, time

_PAUSE_SECONDS = (0.02, 0.06)
_SETTLE_SECONDS = 3


def answer(
    *,
    install: Callable[[], None],
    enqueue: Callable[[range], None],
    send: Callable[[int], float],
    work: Callable[[], None],
) -> None:
    """Do what the command line says.

    :param send: publishes one event and returns the moment just before it was committed
    """
    match sys.argv[1:]:
        case ["install"]:
            install()
        case ["enqueue", number]:
            enqueue(range(int(number)))
        case ["trickle", number]:
            json.dump([_slowly(send, event) for event in range(int(number))], sys.stdout)
        case ["work"]:
            work()
        case _:
            sys.exit("Say install, enqueue N, trickle N or work.")


def _slowly(send: Callable[[int], float], event: int) -> float:
    if event == 0:
        sleep(_SETTLE_SECONDS)
    sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - no secret
    return send(event)


def now() -> float:
    """Return the moment, on the clock that all processes of the machine share."""
    return time()

"""Where a process counts: files that outlive it, under a number that it alone has while it lives.

The kernel takes a lock back from a process that is killed, and the next one goes on counting in the same files. So
nothing is lost by a SIGKILL, nothing has to be cleaned up, and there are never more files than processes at once.
"""

import fcntl
import os
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import IO

from django.conf import settings

# What prometheus_client calls its files. It lets them grow without taking room on the disk, and a process that then
# writes to a full one is killed.
_FILES = ("counter", "histogram")
_ROOM = 1 << 20
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def directory() -> Path:
    """Return where the processes of this host count, made if need be; after each boot it is another one.

    What was not written before the power went would be half a file.
    """
    boot = _BOOT.read_text().strip() if _BOOT.exists() else "any"
    place = Path(settings.METRICS_DIR, f"boot-{boot}")
    place.mkdir(parents=True, exist_ok=True)
    return place


class Place:
    """The number of this process: none before `leave` is called for the first time, then taken when it is asked for."""

    def __init__(self) -> None:
        self._number: str | None = ""
        self._lock: IO[bytes] | None = None

    def number(self) -> str:
        """Return it, the same until the process ends or forks."""
        return self._take() if self._number is None else self._number

    def leave(self) -> None:
        """Let the next question take another number: a forked child must not write into its parent's files."""
        if self._lock:
            self._lock.close()
        self._number = self._lock = None

    def _take(self) -> str:
        place = directory()
        _forget_other_boots(place)
        for number in count():
            lock = (place / f"{number}.lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            _make_room(place, number)
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(place)
            self._number, self._lock = str(number), lock
            break
        return self.number()


def _make_room(place: Path, number: int) -> None:
    for kind in _FILES:
        with (place / f"{kind}_{number}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, _ROOM)


def _forget_other_boots(place: Path) -> None:
    # Only what is surely ours: the directory may be one that others use too.
    for other in set(place.parent.glob("boot-*")) - {place}:
        rmtree(other, ignore_errors=True)

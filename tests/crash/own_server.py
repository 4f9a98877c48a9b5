"""A PostgreSQL server of the tests' own, to be stopped and started beneath a worker."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

import psutil
from django.core.management import call_command
from django.db import connection

from tests.processes import ROOT, database_url, eventually
from tickets_project.embedded_postgres import embedded_database


class Stop(Enum):
    """How a server ends: what PostgreSQL does on each signal (its manual, "Shutting Down the Server")."""

    FAST = signal.SIGINT
    IMMEDIATE = signal.SIGQUIT
    KILL = signal.SIGKILL


class OwnServer:
    """The server of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self) -> dict[str, Any]:
        """Start it, unless it runs, as soon as nothing of an earlier one is left; return Django's settings of it."""
        return embedded_database(self._folder)

    def stop(self, how: Stop) -> None:
        """Stop it; returns when it is gone."""
        connection.close()
        postmaster = psutil.Process(self._postmaster())
        postmaster.send_signal(how.value)
        eventually(lambda: not _lives(postmaster), seconds=60)

    @contextmanager
    def away(self, how: Stop) -> Iterator[None]:
        """Stop it, and start it again at the end of the block."""
        self.stop(how)
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have its tables, empty, be those of this process and of all that it starts until the end of the block."""
        with self.connected():
            yield
            call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Have it be the database of this process until the end of the block."""
        before = dict(connection.settings_dict)
        connection.close()
        connection.settings_dict.update(self.start())
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict.update(before)

    def _postmaster(self) -> int:
        return int((self._folder / "data" / "postmaster.pid").read_text().partition("\n")[0])


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Run a server with the project's tables until the end of the block."""
    # Not tmp_path, whose parents are closed to the account that the server runs as when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="own-server-"))
    folder.chmod(0o755)
    server = OwnServer(folder / "postgres")
    try:
        with server.connected():
            _migrate()
        yield server
    finally:
        with suppress(FileNotFoundError):
            server.stop(Stop.IMMEDIATE)
        shutil.rmtree(folder)


def _migrate() -> None:
    # In a process of its own, since Django remembers the content types of a database.
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": database_url()}, check=True)


def _lives(process: psutil.Process) -> bool:
    # Whoever started it is gone, and not every container has somebody who buries orphans.
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE

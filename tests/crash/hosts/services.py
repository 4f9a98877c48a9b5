"""What hosts share: a PostgreSQL server and a Redis server on a host of their own, reached by TCP with a password."""

import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import redis
from django.db import connection

from tests.crash.hosts.network import Host
from tests.processes import eventually
from tickets_project import embedded_postgres

PASSWORD = "p@ss/word"  # as URLs must quote it
_OWNER, _MIGRATED = "tickets", "migrated"


class SharedPostgres:
    """The server, with a migrated database that each test gets a copy of."""

    def __init__(self, host: Host, folder: Path) -> None:
        self._host, self._data = host, folder / "data"
        self._copies = count(1)

    def start(self) -> None:
        with (self._data.parent / "lock").open("w") as lock:
            embedded_postgres._let_account_through(self._data.parent)
            embedded_postgres._create(self._data, lock)
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet scram-sha-256\n")
        owner = self._data.stat()
        # Nobody pulls the plug of this host.
        options = f"{embedded_postgres.OPTIONS} -c listen_addresses={self._host.address} -c fsync=off -k ."
        self._host.start(
            embedded_postgres._commands() / "postgres",
            f"-D{self._data}",
            *shlex.split(options),
            inside=(f"--setuid={owner.st_uid}", f"--setgid={owner.st_gid}"),
        )
        eventually(self._answers, seconds=60)
        self._tell(f"CREATE ROLE {_OWNER} LOGIN PASSWORD '{PASSWORD}'")
        self._tell(f"CREATE DATABASE {_MIGRATED} OWNER {_OWNER}")
        migrate = self._host.start(
            sys.executable, "manage.py", "migrate", "--verbosity=0", DATABASE_URL=self._url(_MIGRATED)
        )
        assert migrate.wait() == 0

    @contextmanager
    def in_place(self) -> Iterator[str]:
        """Have a copy be this process's database until the end of the block; yield the URL that hosts reach it by.

        It stays until the server goes, since a host that was cut off may not have left it yet.
        """
        name = f"copy_{next(self._copies)}"
        self._tell(f"CREATE DATABASE {name} TEMPLATE {_MIGRATED} OWNER {_OWNER}")
        before = dict(connection.settings_dict)
        connection.close()
        connection.settings_dict.update(NAME=name, USER=_OWNER, PASSWORD="", HOST=str(self._data), PORT="5432")
        try:
            yield self._url(name)
        finally:
            connection.close()
            connection.settings_dict.update(before)

    def _tell(self, statement: str) -> None:
        with psycopg.connect(host=str(self._data), user="postgres", dbname="postgres", autocommit=True) as superuser:
            superuser.execute(statement.encode())

    def _url(self, database: str) -> str:
        return f"postgresql://{_OWNER}:{quote(PASSWORD, safe='')}@{self._host.address}:5432/{database}"

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self._tell("SELECT 1")
            return True
        return False


@contextmanager
def shared_postgres(host: Host) -> Iterator[SharedPostgres]:
    """Run the server until the end of the block, or of its host."""
    # Not under tmp_path, whose parents are closed to the account that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="shared-postgres-"))
    folder.chmod(0o755)
    server = SharedPostgres(host, folder)
    try:
        server.start()
        yield server
    finally:
        host.power_off()
        shutil.rmtree(folder)


class SharedRedis:
    """The server, which keeps nothing when it is stopped."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.url = f"redis://:{quote(PASSWORD, safe='')}@{host.address}:6379/0"

    def start(self) -> None:
        self._process = self._host.start(
            "redis-server", "--bind", self._host.address, "--requirepass", PASSWORD, "--save", ""
        )
        eventually(self._answers)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._signal(signal.SIGKILL)
            self.go_on()
            self._process.wait()

    def hang(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        # `nsenter` has stopped with it, and passes this on.
        self._process.send_signal(signal.SIGCONT)

    def clients(self) -> set[str]:
        """Return the addresses of the hosts that are connected to it."""
        with self._host.joined(), redis.from_url(self.url) as asked:
            return {client["addr"].partition(":")[0] for client in asked.client_list()}

    def _signal(self, number: signal.Signals) -> None:
        [server] = psutil.Process(self._process.pid).children()
        server.send_signal(number)

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError):
            return bool(self.clients())
        return False

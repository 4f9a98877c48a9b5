"""The embedded server is shared, stopped by its last user and found again, whoever of them is killed."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from tickets_project.embedded_postgres import embedded_database

PROJECT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
USER = """
import contextlib, json, os, sys, time
from pathlib import Path
import psycopg
from tickets_project.embedded_postgres import embedded_database

folder, account, ending = sys.argv[1:]
# Only after the imports, since another account might not be allowed to read this interpreter.
if account:
    os.setgroups([])
    os.setgid(int(account))
    os.setuid(int(account))
began = time.perf_counter()
settings = embedded_database(Path(folder))
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "settings": settings}), flush=True)
if ending == "leave a child" and os.fork():
    sys.exit()
with contextlib.suppress(KeyboardInterrupt):
    sys.stdin.read()
if ending == "leave a child":
    os._exit(0)
"""


@dataclass(frozen=True)
class User:
    """A process that uses the server until it is told to leave."""

    process: subprocess.Popen[str]

    @cached_property
    def report(self) -> dict[str, Any]:
        assert self.process.stdout
        return dict(json.loads(self.process.stdout.readline()))

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.report["settings"])

    def ask(self, query: str) -> Any:
        host, port = self.settings["HOST"], self.settings["PORT"]
        with psycopg.connect(host=host, port=port, user="postgres", dbname="postgres") as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchone() if cursor.description else None

    def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.leave()


class Start(Protocol):
    def __call__(self, where: Path = ..., *, account: str = "", ending: str = "") -> User: ...


def servers(folder: Path) -> list[int]:
    listing = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], check=True, capture_output=True, text=True)
    lines = [line.split(maxsplit=2) for line in listing.stdout.splitlines() if f"postgres -D {folder}/" in line]
    parents = {int(process_id): int(parent_id) for process_id, parent_id, _ in lines}
    # Without its children, which bear its name until they have chosen their own.
    return [process_id for process_id, parent_id in parents.items() if parent_id not in parents]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill_server(folder: Path) -> None:
    (process_id,) = servers(folder)
    os.kill(process_id, signal.SIGKILL)
    wait_until(lambda: servers(folder) == [])


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path, whose parent every pytest closes to other accounts.
    place = Path(tempfile.mkdtemp()).resolve()
    place.chmod(0o755)
    yield place / "postgres"
    for process_id in servers(place) + servers(place / "postgres"):
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    users: list[User] = []

    def start_user(where: Path = folder, *, account: str = "", ending: str = "") -> User:
        process = subprocess.Popen(
            [sys.executable, "-c", USER, where, account, ending],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        users.append(User(process))
        return users[-1]

    yield start_user
    for user in users:
        user.kill()
        assert user.process.stdout
        user.process.stdout.close()


class TestEmbeddedDatabase:
    def test_returns_what_django_needs(self, start: Start, folder: Path) -> None:
        assert start().settings == {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": f"{folder}/data",
            "PORT": "5432",
        }

    def test_sets_the_server_up_to_keep_its_promises(self, start: Start) -> None:
        names = ["fsync", "synchronous_commit", "listen_addresses", "max_connections", "timezone", "server_encoding"]
        user = start()
        values = user.ask("select " + ", ".join(f"current_setting('{name}')" for name in names))
        assert values == ("on", "on", "", "200", "UTC", "UTF8")
        assert Path(user.settings["HOST"]).stat().st_mode & 0o777 == 0o700

    def test_shares_one_server_among_five_that_start_at_once(self, start: Start, folder: Path) -> None:
        users = [start() for _ in range(5)]
        assert [user.ask("select 1") for user in users] == [(1,)] * 5
        assert len(servers(folder)) == 1

    def test_joins_a_running_server_at_once(self, start: Start) -> None:
        start().ask("select 1")
        assert min(start().report["seconds"] for _ in range(3)) < 0.02

    def test_serves_those_who_come_while_others_leave(self, start: Start) -> None:
        users = [start(), start()]
        for _ in range(6):
            assert users[0].process.stdin
            assert users[0].report
            users[0].process.stdin.close()
            users = [*users[1:], start()]
            assert users[0].ask("select 1") == (1,)

    def test_reuses_the_server_and_the_data_of_a_killed_user(self, start: Start, folder: Path) -> None:
        first = start()
        first.ask("create table kept (id int)")
        before = servers(folder)
        first.kill()
        assert start().ask("select count(*) from kept") == (0,)
        assert servers(folder) == before

    def test_replaces_a_killed_server(self, start: Start, folder: Path) -> None:
        start().ask("create table kept (id int)")
        kill_server(folder)
        assert start().ask("select count(*) from kept") == (0,)

    def test_waits_until_the_last_connection_of_a_killed_server_has_ended(self, start: Start, folder: Path) -> None:
        host = start().settings["HOST"]
        with closing(psycopg.connect(host=host, user="postgres", dbname="postgres")) as connection:
            os.kill(connection.info.backend_pid, signal.SIGSTOP)
            kill_server(folder)
            second = start()
            time.sleep(0.5)
            assert servers(folder) == []
            os.kill(connection.info.backend_pid, signal.SIGCONT)
        assert second.ask("select 1") == (1,)

    def test_spares_the_process_that_took_the_number_of_a_killed_server(self, start: Start, folder: Path) -> None:
        first = start()
        data = Path(first.settings["HOST"])
        stale = (data / "postmaster.pid").read_text().splitlines()
        kill_server(folder)
        first.leave()
        stranger = subprocess.Popen(["sleep", "60"], user=data.stat().st_uid if AS_ROOT else None)
        try:
            (data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *stale[1:], ""]))
            (data / ".s.PGSQL.5432.lock").write_text("\n".join([str(stranger.pid), *stale[1:5], ""]))
            second = start()
            assert second.ask("select 1") == (1,)
            second.leave()
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

    def test_starts_after_a_user_who_was_killed_while_making_the_database(self, start: Start, folder: Path) -> None:
        first = start()
        wait_until((folder / "data.new" / "PG_VERSION").exists)
        first.kill()
        assert not (folder / "data").exists()
        assert start().ask("select 1") == (1,)

    def test_begins_anew_in_a_deleted_folder(self, start: Start, folder: Path) -> None:
        first = start()
        first.ask("create table kept (id int)")
        (old,) = servers(folder)
        shutil.rmtree(folder)
        second = start()
        assert second.ask("select to_regclass('kept')") == (None,)
        first.leave()
        os.kill(old, signal.SIGINT)
        wait_until(lambda: old not in servers(folder))
        assert second.ask("select 1") == (1,)

    @pytest.mark.parametrize("name", ["deep/" * 50, "with, comma", "it's a folder"])
    def test_works_in_an_unusual_folder(self, start: Start, folder: Path, name: str) -> None:
        user = start(folder / name)
        assert user.ask("select 1") == (1,)
        user.leave()
        assert servers(folder / name) == []
        assert not list(Path(user.settings["HOST"]).glob(".s.*"))

    def test_runs_two_folders_side_by_side(self, start: Start, folder: Path) -> None:
        here, there = start(folder / "here"), start(folder / "there")
        here.ask("create table kept (id int)")
        assert there.ask("select to_regclass('kept')") == (None,)
        here.leave()
        assert there.ask("select 1") == (1,)

    @pytest.mark.skipif(not AS_ROOT, reason="only root can start a process of another account")
    def test_runs_as_an_ordinary_user_beside_the_server_of_root(self, start: Start, folder: Path) -> None:
        nobody = pwd.getpwnam("nobody").pw_uid
        folder.mkdir()
        (folder / "theirs").mkdir()
        os.chown(folder / "theirs", nobody, -1)
        ours, theirs = start(folder / "ours"), start(folder / "theirs", account=str(nobody))
        assert (ours.ask("select 1"), theirs.ask("select 1")) == ((1,), (1,))
        assert Path(theirs.settings["HOST"]).stat().st_uid == nobody
        theirs.leave()
        assert servers(folder / "theirs") == []

    @pytest.mark.skipif(not AS_ROOT, reason="only the server of root belongs to another account")
    def test_opens_a_way_for_the_account_that_stands_in_for_root(self, start: Start, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        assert start(folder / "postgres").ask("select 1") == (1,)
        assert folder.stat().st_mode & 0o777 == 0o701

    def test_survives_the_ctrl_c_of_the_user_who_started_it(self, start: Start, folder: Path) -> None:
        first = start()
        first.ask("select 1")
        before = servers(folder)
        second = start()
        assert second.report
        os.killpg(first.process.pid, signal.SIGINT)
        first.process.wait(20)
        assert second.ask("select 1") == (1,)
        assert servers(folder) == before

    def test_says_in_one_sentence_why_it_cannot_start(self, start: Start, folder: Path) -> None:
        first = start()
        first.ask("select 1")
        first.leave()
        (folder / "data" / "PG_VERSION").write_text("17\n")
        with pytest.raises(ImproperlyConfigured) as refusal:
            embedded_database(folder)
        assert "FATAL:  database files are incompatible with server)" in str(refusal.value)
        assert f"set DATABASE_URL to use another server, or delete {folder}" in str(refusal.value)
        assert "\n" not in str(refusal.value)


class TestLeave:
    def test_stops_the_server_after_its_last_user(self, start: Start, folder: Path) -> None:
        users = [start() for _ in range(3)]
        assert all(user.report for user in users)
        for user in users:
            assert len(servers(folder)) == 1
            user.leave()
        assert servers(folder) == []

    def test_stops_the_server_that_a_killed_user_left_behind(self, start: Start, folder: Path) -> None:
        first, second = start(), start()
        assert first.report
        assert second.report
        first.kill()
        second.leave()
        assert servers(folder) == []

    def test_leaves_the_server_to_a_forked_child(self, start: Start, folder: Path) -> None:
        parent = start(ending="leave a child")
        assert parent.report
        parent.process.wait(20)
        assert parent.ask("select 1") == (1,)
        other = start()
        assert other.report
        other.leave()
        assert len(servers(folder)) == 1

    def test_does_not_bring_a_deleted_folder_back(self, start: Start, folder: Path) -> None:
        user = start()
        assert user.report
        shutil.rmtree(folder)
        user.leave()
        assert user.process.returncode == 0
        assert not folder.exists()

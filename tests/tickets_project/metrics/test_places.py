"""Places: real processes that count, end, fork and are killed."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from os import environ
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.processes import ROOT
from tests.tickets_project.metrics.numbers import number
from tickets_project.metrics.places import directory

Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture
def place(settings: Settings, tmp_path: Path) -> Path:
    """Let processes count in a directory of this test alone."""
    settings.METRICS_DIR = tmp_path
    return directory()


@pytest.fixture
def start(place: Path) -> Iterator[Start]:
    """Start a process that counts, and return when it has."""
    surroundings = {
        "METRICS_DIR": str(place.parent),
        "DJANGO_SETTINGS_MODULE": "tickets_project.settings",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "SECRET_KEY": "x" * 50,
    }
    with ExitStack() as stack:

        def run(topic: str, times: int = 3, *, forks: bool = False) -> Process:
            process = stack.enter_context(
                subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "tests.tickets_project.metrics.counting",
                        topic,
                        str(times),
                        "forks" * forks,
                    ],
                    cwd=ROOT,
                    env=environ | surroundings,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            # It ends when nothing more is said to it.
            stack.callback(process.communicate)
            assert process.stdout
            for _ in range(3 if forks else 1):
                assert process.stdout.readline() == f"{topic}\n"
            return process

        yield run


def processed(topic: str) -> float:
    return number("messages_processed_total", topic=topic, handler="things.listen")


def places(place: Path) -> set[str]:
    return {path.stem for path in place.glob("*.lock")}


class TestPlace:
    def test_is_another_one_for_each_process_that_lives(self, place: Path, start: Start) -> None:
        start("A_v1")
        start("A_v1")
        assert places(place) == {"0", "1"}
        assert processed("A_v1") == 6

    def test_of_the_killed_is_taken_over_with_what_they_counted(self, place: Path, start: Start) -> None:
        for _ in range(3):
            process = start("A_v1")
            process.kill()
            process.wait()
        start("B_v1")
        assert places(place) == {"0"}
        assert (processed("A_v1"), processed("B_v1")) == (9, 3)

    def test_of_a_parent_is_not_its_child_s(self, place: Path, start: Start) -> None:
        start("A_v1", forks=True)
        assert places(place) == {"0", "1"}
        assert processed("A_v1") == 9

    def test_has_room_on_the_disk(self, place: Path, start: Start) -> None:
        start("A_v1")
        taken = [path.stat().st_blocks * 512 for path in place.glob("*.db")]
        assert len(taken) == 2
        assert min(taken) >= 1 << 20

    def test_is_forgotten_after_a_boot(self, place: Path, start: Start) -> None:
        old = place.parent / "boot-before"
        old.mkdir()
        (old / "counter_0.db").write_bytes(b"half")
        start("A_v1")
        assert list(place.parent.iterdir()) == [place]

    def test_leaves_what_is_not_its_own(self, place: Path, start: Start) -> None:
        other = place.parent / "files"
        other.mkdir()
        start("A_v1")
        assert other.exists()


class TestWithoutAPlace:
    def test_work_goes_on_and_says_so_once(self, place: Path, start: Start) -> None:
        place.rmdir()
        place.parent.rmdir()
        place.parent.write_text("no directory")
        _, said = start("A_v1").communicate()
        [line] = said.splitlines()
        assert '"not counted"' in line
        assert str(place.parent) in line

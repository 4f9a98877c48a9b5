"""The key of an installation that was given none."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run
from sys import executable

from tickets_project.secret_key import kept_secret_key

ASK = "import sys; from tickets_project.secret_key import *; print(kept_secret_key(Path(sys.argv[1])), end='')"


class TestKeptSecretKey:
    def test_makes_a_key_and_keeps_it(self, tmp_path: Path) -> None:
        path = tmp_path / "secret_key"
        key = kept_secret_key(path)
        assert len(key) == 50
        assert kept_secret_key(path) == path.read_text() == key

    def test_lets_nobody_else_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "secret_key"
        kept_secret_key(path)
        assert path.stat().st_mode & 0o777 == 0o600

    def test_leaves_no_drafts(self, tmp_path: Path) -> None:
        for _ in range(2):
            kept_secret_key(tmp_path / "secret_key")
        assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]

    def test_gives_processes_that_ask_at_once_the_same(self, tmp_path: Path) -> None:
        def ask(_number: int) -> str:
            command = [executable, "-c", ASK, str(tmp_path / "secret_key")]
            return run(command, capture_output=True, text=True, check=True).stdout

        with ThreadPoolExecutor(4) as pool:
            keys = set(pool.map(ask, range(4)))
        assert keys == {(tmp_path / "secret_key").read_text()}

"""How gunicorn serves the project when it is started in its folder."""

import os
import subprocess
import sys

import pytest

from tests.processes import ROOT


def configuration(*arguments: str, **variables: str) -> dict[str, str]:
    """Return what gunicorn would start with."""
    printed = subprocess.run(
        [sys.executable, "-m", "gunicorn", "tickets_project.wsgi", "--print-config", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"} | variables,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in printed.splitlines())}


class TestConfiguration:
    def test_answers_eight_requests_at_once_on_two_processors(self) -> None:
        found = configuration()
        assert (found["workers"], found["threads"], found["control_socket_disable"]) == ("2", "4", "True")

    @pytest.mark.parametrize(
        ("arguments", "variables"), [((), {"WEB_CONCURRENCY": "5"}), (("--workers", "5"), {"WEB_CONCURRENCY": "3"})]
    )
    def test_takes_another_number_of_processes(self, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
        assert configuration(*arguments, **variables)["workers"] == "5"

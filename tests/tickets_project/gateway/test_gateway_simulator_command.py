"""The command: a real process that serves, and stops when told."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command, load_command_class
from pytest_django import Settings

from tests.tickets_project.gateway.receiver import SECRET, receiving
from tickets_project.gateway.simulator.server import Simulator

ROOT = Path(__file__).resolve().parents[3]
Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the command, and wait for the line with its address."""
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], str]:
        command = [
            sys.executable,
            "-m",
            "django",
            "gateway_simulator",
            "--port",
            "0",
            "--files",
            str(tmp_path / "files"),
        ]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, env=environment)
        processes.append(process)
        assert process.stdout
        line = process.stdout.readline()
        address = re.search(r"http://[\d.]+:\d+", line)
        assert address, line
        return process, address[0]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


class TestGatewaySimulator:
    @pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
    def test_serves_until_told_to_stop(self, start: Start, tmp_path: Path, stop: signal.Signals) -> None:
        process, url = start()
        with requests.Session() as http:
            assert http.put(f"{url}/files-api/files/a.html/content", data=b"<p>").status_code == 201
            process.send_signal(stop)
            # The client keeps its connection open for longer.
            assert process.wait(timeout=30) == 0
        assert (tmp_path / "files" / "a.html").read_bytes() == b"<p>"
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=1)

    def test_takes_a_latency(self, start: Start) -> None:
        _process, url = start("--latency-ms", "150")
        answer = requests.get(f"{url}/files-api/files", timeout=5)
        assert answer.elapsed.total_seconds() >= 0.15

    def test_calls_the_vendor_webhook(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VENDOR_WEBHOOK_SECRET", SECRET)
        booking = {"booking_id": "b-1", "event_id": "e-1", "customer_address": "a@b.c", "number_of_tickets": 2}
        with receiving() as receiver:
            _process, url = start("--vendor-webhook-url", receiver.url)
            assert requests.post(f"{url}/dead-nation-api/ticket/booking", json=booking, timeout=5).status_code == 200
            (received,) = receiver.wait_for(1)
        assert len(received.verified()["tickets"]) == 2

    def test_expects_the_webhook_on_the_web_server_of_the_demo(self) -> None:
        parser = load_command_class("tickets_project.gateway", "gateway_simulator").create_parser("manage.py", "x")
        url = "http://127.0.0.1:8000/api/v1/vendor/tickets-status/"
        assert parser.parse_args([]).vendor_webhook_url == url

    def test_calls_nobody_when_told_so(self, start: Start) -> None:
        booking = {"booking_id": "b-1", "event_id": "e-1", "customer_address": "a@b.c", "number_of_tickets": 2}
        _process, url = start("--vendor-webhook-url", "")
        assert requests.post(f"{url}/dead-nation-api/ticket/booking", json=booking, timeout=5).status_code == 200
        assert requests.get(f"{url}/_simulator/vendor/callbacks", timeout=5).json() == {"callbacks": []}

    def test_refuses_an_address_that_is_no_webhook(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="address must be like http://host:port/path, not 'ftp://a'"):
            call_command("gateway_simulator", port=0, files=tmp_path, vendor_webhook_url="ftp://a")
        assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def test_refuses_a_secret_that_signs_nothing(self, tmp_path: Path, settings: Settings) -> None:
        settings.VENDOR_WEBHOOK_SECRET = "whsec_"
        with pytest.raises(CommandError, match="VENDOR_WEBHOOK_SECRET must be whsec_ and the key in base64"):
            call_command("gateway_simulator", port=0, files=tmp_path)

    def test_names_the_setting_when_the_port_is_taken(self, simulator: Simulator, tmp_path: Path) -> None:
        port = simulator.url.rpartition(":")[2]
        with pytest.raises(CommandError, match=rf"Port {port} of 127\.0\.0\.1 is taken: .* set GATEWAY_PORT"):
            call_command("gateway_simulator", port=int(port), files=tmp_path)

    @pytest.mark.parametrize("host", ["192.0.2.1", "no host"])
    def test_refuses_an_address_that_is_not_ours(self, tmp_path: Path, host: str) -> None:
        with pytest.raises(CommandError, match=f"Cannot listen on {host}, port 0: "):
            call_command("gateway_simulator", host=host, port=0, files=tmp_path)

    @pytest.mark.parametrize("port", [-1, 65536])
    def test_refuses_a_port_that_does_not_exist(self, tmp_path: Path, port: int) -> None:
        with pytest.raises(CommandError, match=r"GATEWAY_PORT .* must be from 0 to 65535"):
            call_command("gateway_simulator", port=port, files=tmp_path)

    def test_refuses_a_folder_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(CommandError, match=r"The folder .*/file cannot be used: "):
            call_command("gateway_simulator", port=0, files=tmp_path / "file")
        assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())

"""The settings as a process of their own reads them."""

import json
import os
import sys
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any

import pytest
from standardwebhooks import Webhook

ROOT = Path(__file__).resolve().parents[2]
SHOW = """
import json
from tickets_project import settings
names = [name for name in dir(settings) if name.isupper()]
print(json.dumps({name: getattr(settings, name) for name in names}, default=lambda value: type(value).__name__))
"""


def python(*arguments: str, **variables: str) -> CompletedProcess[str]:
    """Run Python with nothing in the environment but these variables and a database that is not asked."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "SECRET_KEY": "x" * 50,
    }
    command = [sys.executable, *arguments]
    return run(command, env=environment | variables, cwd=ROOT, capture_output=True, text=True, check=False)


def read(**variables: str) -> dict[str, Any]:
    shown = python("-c", SHOW, **variables)
    assert shown.returncode == 0, shown.stderr
    settings: dict[str, Any] = json.loads(shown.stdout)
    return settings


class TestStart:
    def test_passes_the_checks(self) -> None:
        assert python("manage.py", "check").returncode == 0

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("OUTBOX_THREADS", "many"),
            ("OUTBOX_KEEP_MESSAGES_DAYS", "-1"),
            ("DATABASE_URL", "postgresql://u:secret@h:port/n"),
            ("GATEWAY_URL", "http://[::1"),
            ("VIP_BUNDLE_DEADLINE_MINUTES", "0"),
            ("VIP_BUNDLE_DEADLINE_MINUTES", "1441"),
            ("OPS_EMAIL", "ops"),
            ("METRICS_PORT", "65536"),
            ("TRACING", "maybe"),
        ],
    )
    def test_is_stopped_by_a_wrong_variable_with_one_line(self, name: str, value: str) -> None:
        stopped = python("manage.py", "check", **{name: value})
        assert stopped.returncode == 1
        [line] = stopped.stderr.splitlines()
        assert line.startswith(f"The settings are wrong: {name} ")
        assert "secret" not in line

    def test_is_stopped_in_gunicorn_too(self) -> None:
        stopped = python("-c", "import tickets_project.wsgi", API_THROTTLE="often")
        assert stopped.returncode != 0
        assert [line[:40] for line in stopped.stderr.splitlines()] == ["The settings are wrong: API_THROTTLE mus"]

    def test_gives_gunicorn_its_application(self) -> None:
        assert python("-c", "from tickets_project.wsgi import application as a; assert callable(a)").returncode == 0


class TestDefaults:
    def test_are_strict(self) -> None:
        settings = read()
        assert (settings["DEBUG"], settings["HTTPS"]) == (False, False)
        assert settings["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
        assert (settings["GATEWAY_URL"], settings["GATEWAY_TIMEOUTS"]) == ("http://127.0.0.1:8888", [2, 5])
        assert (settings["TICKETS_TIME_ZONE"], settings["TIME_ZONE"], settings["USE_TZ"]) == ("UTC", "UTC", True)
        assert settings["WEBHOOKS_ALLOW_PRIVATE"] is False
        assert (settings["METRICS_PORT"], settings["METRICS_TOKEN"]) == (0, "")
        assert (settings["VIP_BUNDLE_DEADLINE_MINUTES"], settings["OPS_EMAIL"]) == (15, "")
        assert settings["REST_FRAMEWORK"]["DEFAULT_THROTTLE_RATES"] == {"user": "600/min", "login": "10/min"}
        assert settings["REST_FRAMEWORK"]["NUM_PROXIES"] == 0
        assert settings["LOGGING"]["formatters"]["lines"]["processors"][-1] == "JSONRenderer"
        assert settings["EMAIL_BACKEND"].endswith("filebased.EmailBackend")

    def test_give_way_to_variables(self) -> None:
        settings = read(
            GATEWAY_PORT="9999",
            API_THROTTLE="off",
            REDIS_URL="redis://cache:6379/1",
            EMAIL_URL="smtp+tls://u:p@mail.example:587",
            DEBUG="on",
            TRUSTED_PROXIES="2",
            VIP_BUNDLE_DEADLINE_MINUTES="1440",
            OPS_EMAIL="ops@tickets.example",
        )
        assert settings["GATEWAY_URL"] == "http://127.0.0.1:9999"
        assert settings["REST_FRAMEWORK"]["DEFAULT_THROTTLE_RATES"] == {"user": None, "login": None}
        assert settings["REST_FRAMEWORK"]["NUM_PROXIES"] == 2
        assert (settings["VIP_BUNDLE_DEADLINE_MINUTES"], settings["OPS_EMAIL"]) == (1440, "ops@tickets.example")
        assert settings["CACHES"]["default"]["LOCATION"] == "redis://cache:6379/1"
        assert settings["Q_CLUSTER"]["redis"] == "redis://cache:6379/1"
        assert (settings["EMAIL_HOST"], settings["EMAIL_PORT"], settings["EMAIL_USE_TLS"]) == (
            "mail.example",
            587,
            True,
        )
        assert settings["LOGGING"]["formatters"]["lines"]["processors"][-1] == "ConsoleRenderer"


class TestSecretKey:
    def test_is_kept_for_an_installation_that_was_given_none(self) -> None:
        kept = read(SECRET_KEY="")["SECRET_KEY"]
        path = ROOT / "var" / "secret_key"
        assert kept == path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600


class TestVendorWebhookSecret:
    def test_is_kept_for_the_simulator(self) -> None:
        settings = read()
        kept = settings["VENDOR_WEBHOOK_SECRET"]
        path = ROOT / "var" / "vendor_webhook_secret"
        assert kept == path.read_text() == read()["VENDOR_WEBHOOK_SECRET"]
        assert path.stat().st_mode & 0o777 == 0o600
        assert kept.startswith("whsec_")
        assert len(Webhook(kept)._whsecret) == 32
        assert "VENDOR_WEBHOOK_SECRET" in settings["EMBEDDED_DEFAULTS"]

    def test_is_the_vendor_s_own_when_it_is_given(self) -> None:
        settings = read(VENDOR_WEBHOOK_SECRET="whsec_Y2hlY2s=")
        assert settings["VENDOR_WEBHOOK_SECRET"] == "whsec_Y2hlY2s="
        assert "VENDOR_WEBHOOK_SECRET" not in settings["EMBEDDED_DEFAULTS"]

    @pytest.mark.parametrize("variables", [{"GATEWAY_URL": "https://gateway.example"}, {"DEBUG": "on"}])
    def test_is_not_made_up_for_a_real_gateway_nor_under_debug(self, variables: dict[str, str]) -> None:
        assert read(**variables)["VENDOR_WEBHOOK_SECRET"] == ""

    @pytest.mark.parametrize("variables", [{}, {"GATEWAY_URL": "https://gateway.example"}])
    def test_is_missed_by_the_deploy_checks(self, variables: dict[str, str]) -> None:
        checked = python("manage.py", "check", "--deploy", "--tag", "security", **variables)
        assert checked.returncode == 1
        assert "VENDOR_WEBHOOK_SECRET is" in checked.stderr


class TestHttps:
    @pytest.mark.parametrize(
        ("hosts", "https"),
        [
            ("tickets.example", True),
            (".tickets.example", True),
            ("localhost,tickets.example", True),
            ("localhost,127.0.0.1,[::1],intranet", False),
            ("192.168.1.7", False),
            ("*", False),
        ],
    )
    def test_is_on_for_a_public_name(self, hosts: str, https: bool) -> None:  # noqa: FBT001
        settings = read(ALLOWED_HOSTS=hosts)
        names = ("HTTPS", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
        assert {settings[name] for name in names} == {https}
        assert bool(settings["SECURE_HSTS_SECONDS"]) is https

    def test_can_be_switched(self) -> None:
        assert read(ALLOWED_HOSTS="tickets.example", HTTPS="off")["SECURE_SSL_REDIRECT"] is False
        assert read(HTTPS="on")["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]

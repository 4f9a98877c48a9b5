"""How log lines look."""

import json
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from tests.processes import ROOT
from tickets_project.correlation import Trace, tracing
from tickets_project.logs import logging_config


@pytest.fixture
def written() -> Iterator[Callable[..., str]]:
    """Format a record as an installation with this style does."""
    before = structlog.get_config()

    def write(style: str, message: str, *arguments: Any, level: int = logging.INFO, **extra: Any) -> str:
        lines = logging_config(style)["formatters"]["lines"]
        make = lines.pop("()")
        record = logging.getLogger("shop").makeRecord(
            "shop", level, __file__, 1, message, arguments, extra.pop("exc_info", None), extra=extra
        )
        text: str = make(**lines).format(record)
        return text

    yield write
    structlog.configure(**before)


def login(password: str) -> None:
    raise ValueError(f"nobody has {len(password)} letters")


class TestLoggingConfig:
    def test_writes_json_in_production(self, written: Callable[..., str]) -> None:
        with tracing(Trace(correlation_id="c1")):
            text = written("json", "sold %d", 3, show="Carmen")
        line = json.loads(text)
        assert line.pop("timestamp").endswith("Z")
        assert line == {
            "event": "sold 3",
            "level": "info",
            "logger": "shop",
            "correlation_id": "c1",
            "show": "Carmen",
        }
        assert "\n" not in text

    def test_writes_text_in_the_demo(self, written: Callable[..., str]) -> None:
        with tracing(Trace(correlation_id="c1")):
            text = written("console", "sold %d", 3)
        assert "sold 3" in text
        assert "correlation_id=c1" in text
        assert "\x1b" not in text

    def test_tells_where_an_error_came_from_but_no_variables(self, written: Callable[..., str]) -> None:
        try:
            login(password="swordfish")
        except ValueError:
            text = written("json", "failed", level=logging.ERROR, exc_info=sys.exc_info())
        [told] = json.loads(text)["exception"]
        assert (told["exc_type"], told["exc_value"]) == ("ValueError", "nobody has 9 letters")
        assert told["frames"][-1]["name"] == "login"
        assert "swordfish" not in text

    @pytest.mark.parametrize("style", ["json", "console"])
    def test_is_what_logging_takes(self, style: str) -> None:
        before = structlog.get_config()
        config = logging_config(style)
        structlog.configure(**before)
        assert logging.config.DictConfigurator(config).configure_formatter(config["formatters"]["lines"])
        assert config["root"] == {"handlers": ["stderr"], "level": "INFO"}

    def test_takes_python_s_warnings_too(self) -> None:
        code = "import django, warnings; django.setup(); warnings.warn('odd')"
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tickets_project.settings", "LOG_FORMAT": "json"}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
        line = json.loads(done.stderr)
        assert (line["logger"], line["level"]) == ("py.warnings", "warning")
        assert "UserWarning: odd" in line["event"]

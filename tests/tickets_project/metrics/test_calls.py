"""Calls to other services, counted by operation."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from tests.tickets_project.metrics.numbers import grown_by
from tickets_project.gateway import files
from tickets_project.gateway.client import call
from tickets_project.gateway.errors import UpstreamError
from tickets_project.gateway.simulator.server import Simulator

CONTENT = "files-api/files/{name}/content"


def store() -> None:
    with suppress(UpstreamError):
        files.store("a b.html", "<p>")


class TestCall:
    @pytest.mark.usefixtures("simulator")
    def test_is_counted_without_what_names_one_thing(self) -> None:
        labels = {"operation": CONTENT, "method": "PUT"}
        assert grown_by(store, "upstream_calls_total", status="201", **labels) == 1
        assert grown_by(store, "upstream_calls_total", status="409", **labels) == 1
        assert grown_by(store, "upstream_call_duration_seconds_count", **labels) == 1

    @pytest.mark.parametrize(
        ("trouble", "status"), [({"status": 503}, "503"), ({"drop": "after"}, "none"), ({"delay_ms": 4000}, "none")]
    )
    @pytest.mark.usefixtures("impatient")
    def test_is_counted_when_it_fails(
        self, fault: Callable[..., None], trouble: dict[str, object], status: str
    ) -> None:
        fault("files.put", **trouble)
        labels = {"operation": CONTENT, "method": "PUT", "status": status}
        assert grown_by(store, "upstream_calls_total", **labels) == 1

    def test_takes_its_time(self, fault: Callable[..., None]) -> None:
        fault("files.put", delay_ms=200)
        labels = {"operation": CONTENT, "method": "PUT"}
        assert 0.2 <= grown_by(store, "upstream_call_duration_seconds_sum", **labels) < 2

    def test_has_one_name_for_each_operation_of_the_contract(self, simulator: Simulator) -> None:
        for operation in simulator._operations._by_name.values():
            service, _, path = operation.path.removeprefix("/").partition("/")
            address = "/" + re.sub(r"\{\w+\}", "made-up", path)
            ask = partial(call, service, operation.method, address, expected=range(600), body=b"{}")
            labels = {
                "operation": re.sub(r"\{\w+\}", "{name}", f"{service}/{path}"),
                "method": operation.method,
            }
            assert grown_by(ask, "upstream_call_duration_seconds_count", **labels) == 1, operation

"""What PostgreSQL tells of the statements that something runs: how it read the tables, and how much of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

Node = dict[str, Any]


@contextmanager
def plans() -> Iterator[list[Node]]:
    """Explain each statement of the block while it runs; its answer is lost."""
    found: list[Node] = []

    def explain(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        answer = execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", parameters, many, context)
        [[explained]] = context["cursor"].fetchone()
        found.append(explained["Plan"])
        return answer

    with connection.execute_wrapper(explain):
        yield found


def plan_of(statement: Callable[[], object]) -> Node:
    with plans() as found:
        statement()
    [plan] = found
    return plan


def scans(plan: Node) -> Iterator[Node]:
    """Yield the parts that read one of the tables."""
    if plan["Node Type"].endswith("Scan") and "Relation Name" in plan:
        yield plan
    for part in plan.get("Plans", []):
        yield from scans(part)


def rows_read(plan: Node) -> int:
    """Return how many rows were looked at, also those that were passed over then."""
    seen = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(int(sum(scan.get(name, 0) for name in seen) * scan["Actual Loops"]) for scan in scans(plan))


def buffers(plan: Node) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def assert_by_index(plan: Node) -> None:
    whole = [scan["Relation Name"] for scan in scans(plan) if scan["Node Type"] == "Seq Scan"]
    assert not whole, f"reads all of {whole}"

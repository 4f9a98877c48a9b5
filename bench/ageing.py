"""Throughput of old installations: with ten million delivered rows, and after much churn that nothing could clean up.

Rates of the old and the new are measured by turns, each from a backlog, after which every event must have one row.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from statistics import median

import psycopg

from bench.contenders import OURS, Installation, install
from bench.measuring import rate
from bench.results import Line, keep

_MESSAGES = """
    INSERT INTO outbox_message (id, kind, type, aggregatetype, aggregateid, payload, headers, published_at)
    SELECT gen_random_uuid(), 'event', 'Counted_v1', 'count', number::text, jsonb_build_object('number', number),
        jsonb_build_object('correlation_id', gen_random_uuid(), 'causation_id', NULL,
            'idempotency_key', gen_random_uuid(), 'traceparent', NULL),
        now() - interval '1 day'
    FROM generate_series(1, %s) AS number
"""
_DELIVERIES = """
    INSERT INTO outbox_delivery (message_id, sequence, handler, status, attempts, available_at, claimed_by,
        delivered_at, waits_for, last_error)
    SELECT id, sequence, 'bench.old_' || handler, 'delivered', 1, published_at, gen_random_uuid(), published_at, '', ''
    FROM outbox_message CROSS JOIN generate_series(1, %s) AS handler
"""
_HANDLERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Old(Installation):
    """An installation whose rows stay between the rounds."""

    def enqueue(self, events: int) -> None:
        """Add to what is there."""
        self.call("add", str(events))
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("TRUNCATE bench_effect")


def main() -> None:
    """Measure both, and keep the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="delivered rows of the old installation")
    parser.add_argument("--churn", type=int, default=1_000_000, help="deliveries while a transaction stays open")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    server = os.environ["DATABASE_URL"]
    lines = [_with_many_rows(server, options), *_after_churn(server, options)]
    keep("ageing", lines)
    print("\n".join(map(str, lines)))


def _with_many_rows(server: str, options: argparse.Namespace) -> Line:
    with ExitStack() as stack:
        new, old = (stack.enter_context(_old(server, name)) for name in ("new", "old"))
        _tell(f"{options.rows} delivered rows take {_fill(old, options.rows)}")
        rates = _by_turns([new, old], options)
    return Line(
        what=f"events per second with {options.rows:,} delivered rows",
        measured=_shown(rates[1]),
        against=f"empty tables: {_shown(rates[0])}",
        ratio=f"{median(rates[1]) / median(rates[0]):.0%}",
        target="≥ 90 %",
        met=median(rates[1]) >= 0.9 * median(rates[0]),
    )


def _after_churn(server: str, options: argparse.Namespace) -> Iterator[Line]:
    with ExitStack() as stack:
        free, held = (stack.enter_context(_old(server, name)) for name in ("free", "held"))
        stack.enter_context(_long_transaction(held))
        for installation in (free, held):
            installation.call("churn", str(options.churn))
            _tell(f"churned {installation.contender.name}: {_dead_rows(installation)} dead rows")
        dead = [_dead_rows(installation) for installation in (free, held)]
        rates = _by_turns([free, held], options)
    yield Line(
        what=f"events per second after {options.churn:,} deliveries while a transaction stays open",
        measured=f"{_shown(rates[1])}, {dead[1]:,} dead rows",
        against=f"without it: {_shown(rates[0])}, {dead[0]:,} dead rows",
        ratio=f"{median(rates[1]) / median(rates[0]):.0%}",
        target="reported",
    )


def _by_turns(installations: list[Old], options: argparse.Namespace) -> list[list[float]]:
    rates: list[list[float]] = [[] for _ in installations]
    for _ in range(options.rounds):
        for installation, found in zip(installations, rates, strict=True):
            found.append(rate(installation, options.events))
            _tell(f"{installation.contender.name}: {found[-1]:.0f}/s")
    return rates


@contextmanager
def _old(server: str, name: str) -> Iterator[Old]:
    with install(replace(OURS, name=name), server) as installation:
        yield Old(contender=installation.contender, environment=installation.environment)


def _fill(old: Old, rows: int) -> str:
    """Leave that many delivered rows; return what they take on the disk."""
    with psycopg.connect(old.database, autocommit=True) as connection:
        connection.execute(_MESSAGES, [rows // _HANDLERS])
        connection.execute(_DELIVERIES, [_HANDLERS])
        connection.execute("VACUUM ANALYZE")
        row = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()
    return str(row[0]) if row else ""


@contextmanager
def _long_transaction(installation: Installation) -> Iterator[None]:
    """Keep a snapshot open, so that no dead row can be cleaned up."""
    with psycopg.connect(installation.database) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM outbox_delivery")
        yield


def _dead_rows(installation: Installation) -> int:
    with psycopg.connect(installation.database) as connection:
        row = connection.execute(
            "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'outbox_delivery'"
        ).fetchone()
    return int(row[0]) if row else 0


def _shown(rates: list[float]) -> str:
    return f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

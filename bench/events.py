"""Events handled per second, how soon, and at what idle cost: the outbox against its peers, in one run.

Same machine, same PostgreSQL, two processes, a handler that writes one row; the rounds go by turns through all
contenders, and medians are shown. Each event must have exactly one row at the end, or the run fails.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

import psycopg

from bench.contenders import CONTENDERS, OURS, Contender, Installation, install
from bench.installation import ROOT
from bench.measuring import Idleness, Latency, idleness, latency, rate

RESULTS = ROOT / "bench" / "results.md"
_CURVE = [(1, 1), (2, 1), (4, 1), (2, 2)]


@dataclass(slots=True, kw_only=True)
class Result:
    """What was measured of one contender."""

    contender: Contender
    rates: list[float] = field(default_factory=list)
    latency: Latency | None = None
    idleness: Idleness | None = None

    def rate(self) -> float:
        """Return the median of the rounds."""
        return median(self.rates)


def main() -> None:
    """Measure what is asked for; print the table, and write it to bench/results.md."""
    options = _options()
    lines = list(_report(options, os.environ["DATABASE_URL"]))
    print("\n".join(lines))
    if options.write:
        RESULTS.write_text("\n".join(["# Results of `make bench`", "", *lines, ""]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--single", type=int, default=300, help="events that are sent one at a time")
    parser.add_argument("--idle", type=float, default=20, help="seconds to watch the idle workers")
    parser.add_argument("--only", nargs="*", choices=[contender.name for contender in CONTENDERS])
    parser.add_argument("--write", action="store_true", help="write bench/results.md")
    return parser.parse_args()


def _report(options: argparse.Namespace, server: str) -> Iterator[str]:
    asked = [contender for contender in CONTENDERS if not options.only or contender.name in options.only]
    present = [contender for contender in asked if not contender.absent()]
    with ExitStack() as stack:
        installations = [stack.enter_context(install(contender, server)) for contender in present]
        results = _measure(installations, options, server)
        yield from _conditions(options, server)
        yield from _table(results)
        yield from (f"- {contender.about}: {contender.absent()}" for contender in asked if contender.absent())
        for installation in installations:
            if installation.contender is OURS:
                yield from _publishing(installation, options.single)
                yield from _curve(installation, options)


def _measure(installations: list[Installation], options: argparse.Namespace, server: str) -> list[Result]:
    results = [Result(contender=installation.contender) for installation in installations]
    pairs = list(zip(installations, results, strict=True))
    for number in range(options.rounds):
        for installation, result in pairs:
            result.rates.append(rate(installation, options.events))
            _tell(f"round {number + 1}: {result.contender.name} {result.rates[-1]:.0f}/s")
    for installation, result in pairs:
        if not result.contender.worker:
            result.latency = latency(installation, options.single)
            result.idleness = idleness(installation, server=server, seconds=options.idle)
            _tell(f"{result.contender.name}: {result.latency} {result.idleness}")
    return results


def _conditions(options: argparse.Namespace, server: str) -> Iterator[str]:
    with psycopg.connect(server) as connection:
        version = connection.info.server_version // 10_000
        durable = connection.execute("SHOW synchronous_commit").fetchone()
    yield (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL {version} with synchronous_commit "
        f"{durable[0] if durable else ''}; a backlog of {options.events} events, medians of {options.rounds} rounds by "
        f"turns; latency of {options.single} single events; idle for {options.idle:.0f} s. "
        "Every event had exactly one row."
    )
    yield ""


def _table(results: list[Result]) -> Iterator[str]:
    yield "| contender | events/s | ours / this | all rounds | latency p50, p99 (ms) | idle CPU, transactions/s |"
    yield "|---|---:|---:|---|---:|---:|"
    ours = [result.rate() for result in results if result.contender is OURS]
    for result in results:
        ratio = f"{ours[0] / result.rate():.2f}" if ours else ""
        rounds = ", ".join(f"{one:.0f}" for one in result.rates)
        yield (
            f"| {result.contender.about} | {result.rate():.0f} | {ratio} | {rounds} | "
            f"{_latency(result.latency)} | {_idleness(result.idleness)} |"
        )
    yield ""


def _latency(measured: Latency | None) -> str:
    return f"{measured.p50:.1f}, {measured.p99:.1f}" if measured else "-"


def _idleness(measured: Idleness | None) -> str:
    return f"{measured.cpu:.2f} %, {measured.transactions:.1f}" if measured else "-"


def _publishing(installation: Installation, repeats: int) -> Iterator[str]:
    printed = subprocess.run(
        [sys.executable, "-m", "bench.publish_cost", str(repeats)],
        cwd=ROOT,
        env=os.environ | installation.environment,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    cost: dict[str, float] = json.loads(printed)
    alone, published = cost["alone"], cost["published"]
    yield (
        f"publish() of an event with three subscribers adds {published - alone:.2f} ms to a transaction that inserts "
        f"one row and takes {alone:.2f} ms: {published / alone:.2f} times that."
    )
    yield ""


def _curve(installation: Installation, options: argparse.Namespace) -> Iterator[str]:
    yield "| clusters, dispatchers each | events/s | ratio to the first |"
    yield "|---|---:|---:|"
    first = 0.0
    for dispatchers, clusters in _CURVE:
        rates = [
            rate(installation, options.events, clusters=clusters, OUTBOX_DISPATCHERS=str(dispatchers))
            for _ in range(options.rounds)
        ]
        first = first or median(rates)
        yield f"| {clusters}, {dispatchers} | {median(rates):.0f} | {median(rates) / first:.2f} |"


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

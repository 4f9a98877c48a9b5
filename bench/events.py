"""Events handled per second, how soon, and at what idle cost: the outbox against its peers, in one run.

Same machine, same PostgreSQL, two processes, a handler that writes one row; the rounds go by turns through all
contenders, and medians are shown. Each event must have exactly one row at the end, or the run fails.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from bench.contenders import CONTENDERS, OURS, Contender, Installation, install
from bench.installation import ROOT
from bench.measuring import Idleness, Latency, idleness, latency, rate
from bench.results import Line, keep

_CURVE = [(1, 1), (2, 1), (4, 1), (2, 2)]
# How many times as fast we are to be, where that was set.
_TARGETS = {"floor": 0.45, "django_q2": 4, "procrastinate": 8, "celery": 4}
_WORKER_PROCESSES = 2


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
    """Measure what is asked for; print the table, and keep it."""
    options = _options()
    server = os.environ["DATABASE_URL"]
    asked = [contender for contender in CONTENDERS if not options.only or contender.name in options.only]
    with ExitStack() as stack:
        installations = [stack.enter_context(install(one, server)) for one in asked if not one.absent()]
        results = _measure(installations, options, server)
        lines = list(_compared(results))
        for installation in installations:
            if installation.contender is OURS:
                lines += [_publishing(installation, options.single), *_curve(installation, options)]
    absent = [f"- {contender.about}: {contender.absent()}" for contender in asked if contender.absent()]
    keep("events", lines, details="\n".join([*_conditions(options), *_table(results), *absent]))
    print("\n".join(map(str, lines)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--single", type=int, default=300, help="events that are sent one at a time")
    parser.add_argument("--idle", type=float, default=30, help="seconds to watch the idle workers")
    parser.add_argument("--only", nargs="*", choices=[contender.name for contender in CONTENDERS])
    return parser.parse_args()


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


def _conditions(options: argparse.Namespace) -> Iterator[str]:
    yield "## Events"
    yield ""
    yield (
        f"A backlog of {options.events} events, medians of {options.rounds} rounds by turns; latency of "
        f"{options.single} single events; idle for {options.idle:.0f} s. Every event had exactly one row."
    )
    yield ""


def _compared(results: list[Result]) -> Iterator[Line]:
    """Compare ours with each of the others, if ours took part."""
    for ours in [result for result in results if result.contender is OURS]:
        for other in results:
            if other is not ours:
                yield _rates(ours, other)
        yield from _when_idle(ours)


def _rates(ours: Result, other: Result) -> Line:
    is_floor = bool(other.contender.worker)
    times = ours.rate() / other.rate()
    least = _TARGETS.get(other.contender.name)
    return Line(
        what="events per second",
        measured=f"{ours.rate():,.0f}",
        against=f"{other.contender.about}: {other.rate():,.0f}",
        ratio=f"{times:.0%}" if is_floor else f"{times:.1f} x",
        target="reported" if least is None else f"≥ {least:.0%}" if is_floor else f"≥ {least} x",
        met=None if least is None else times >= least,
    )


def _when_idle(ours: Result) -> Iterator[Line]:
    if ours.latency:
        yield Line(
            what="from the commit to the start of the handler",
            measured=f"p50 {ours.latency.p50:.1f} ms, p99 {ours.latency.p99:.1f} ms",
            against="",
            ratio="",
            target="p50 ≤ 10 ms, p99 ≤ 50 ms",
            met=ours.latency.p50 <= 10 and ours.latency.p99 <= 50,
        )
    if ours.idleness:
        share = ours.idleness.cpu / _WORKER_PROCESSES
        yield Line(
            what="idle, per worker process and in all",
            measured=f"{share:.2f} % of a core, {ours.idleness.transactions:.1f} queries/s",
            against="",
            ratio="",
            target="< 1 %, < 10",
            met=share < 1 and ours.idleness.transactions < 10,
        )


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


def _publishing(installation: Installation, repeats: int) -> Line:
    printed = subprocess.run(
        [sys.executable, "-m", "bench.publish_cost", str(repeats)],
        cwd=ROOT,
        env=os.environ | installation.environment,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    cost: dict[str, float] = json.loads(printed)
    alone, published = cost["alone"], cost["published"]
    return Line(
        what="publish() of an event with three subscribers",
        measured=f"adds {published - alone:.2f} ms",
        against=f"a transaction that inserts one row: {alone:.2f} ms",
        ratio=f"{(published - alone) / alone:.1f} x",
        target="≤ 0.6 ms",
        met=published - alone <= 0.6,
    )


def _curve(installation: Installation, options: argparse.Namespace) -> Iterator[Line]:
    first = 0.0
    for dispatchers, clusters in _CURVE:
        rates = [
            rate(installation, options.events, clusters=clusters, OUTBOX_DISPATCHERS=str(dispatchers))
            for _ in range(options.rounds)
        ]
        first = first or median(rates)
        yield Line(
            what=f"events per second, clusters: {clusters}, dispatchers in each: {dispatchers}",
            measured=f"{median(rates):,.0f}",
            against=f"one dispatcher: {first:,.0f}",
            ratio=f"{median(rates) / first:.2f} x",
            target="reported",
        )


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

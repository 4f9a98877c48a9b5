"""What the benchmarks found: each keeps its lines, and `python -m bench.results` makes one table of all.

The table is printed, and written to bench/results.md.
"""

import json
import os
import platform
from dataclasses import asdict, dataclass
from typing import Any

from bench.installation import ROOT

_KEPT = ROOT / "var" / "bench"
_PAGE = ROOT / "bench" / "results.md"
# In the order in which they are read; one that has not run is left out.
_BENCHMARKS = ("events", "print_tickets", "serving", "ageing")
_HEAD = ["| what | measured | against | ratio | target | met |", "|---|---|---|---:|---|---|"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table; `met` is None where the target is to report the figure."""

    what: str
    measured: str
    against: str
    ratio: str
    target: str
    met: bool | None = None

    def __str__(self) -> str:
        met = {True: "yes", False: "**no**", None: "-"}[self.met]
        return f"| {self.what} | {self.measured} | {self.against} | {self.ratio} | {self.target} | {met} |"


def keep(benchmark: str, lines: list[Line], *, details: str = "") -> None:
    """Keep what a benchmark found, in place of what it found before.

    :param details: Markdown that follows the table: conditions, further tables
    """
    _KEPT.mkdir(parents=True, exist_ok=True)
    found = {"lines": [asdict(line) for line in lines], "details": details}
    (_KEPT / f"{benchmark}.json").write_text(json.dumps(found))


def main() -> None:
    """Print the table of all that was found, and write the page."""
    found = [json.loads(path.read_text()) for name in _BENCHMARKS if (path := _KEPT / f"{name}.json").exists()]
    table = [*_HEAD, *(str(Line(**line)) for one in found for line in one["lines"])]
    print("\n".join(table))
    _PAGE.write_text("\n".join(["# Results of `make bench`", "", _machine(), "", *table, "", *_details(found)]))


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, the embedded PostgreSQL with its defaults "
        "(`synchronous_commit` on). The machine is shared and noisy: read the ratios."
    )


def _details(found: list[dict[str, Any]]) -> list[str]:
    return [one["details"] for one in found if one["details"]]


if __name__ == "__main__":
    main()

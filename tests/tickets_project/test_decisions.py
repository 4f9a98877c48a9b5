"""The index of the decisions has each of them, under its number and title."""

import re

from tests.processes import ROOT

DECISIONS = ROOT / "docs/adr"
LINE = re.compile(r"^\| \[(\d+)\]\((\d{4}-[\w-]+\.md)\) \| (.+) \|$", re.MULTILINE)


def test_the_index_has_each_decision_under_its_number_and_title() -> None:
    listed = LINE.findall((DECISIONS / "README.md").read_text())
    stored = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    assert [name for _, name, _ in listed] == [path.name for path in stored]
    for (number, _, title), path in zip(listed, stored, strict=True):
        assert path.read_text().splitlines()[0] == f"# {number}. {title}"
        assert int(path.name[:4]) == int(number)

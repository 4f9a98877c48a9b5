"""docs/vip_bundles.md says what the code says."""

import os
import re

import pytest

from tests.vip_bundles.page import PARTS, PATH, causes, declared, rewritten

HOW = (
    "docs/vip_bundles.md is no longer what the code says. Run `REWRITE_PAGES=1 .venv/bin/python -m pytest"
    " tests/vip_bundles/test_page.py`, and read what it has changed."
)


@pytest.fixture(scope="module")
def page() -> str:
    if os.environ.get("REWRITE_PAGES"):
        PATH.write_text(rewritten(PATH.read_text(encoding="utf-8")), encoding="utf-8")
    return PATH.read_text(encoding="utf-8")


class TestPage:
    @pytest.mark.parametrize("name", PARTS)
    def test_has_each_part_as_the_code_writes_it(self, page: str, name: str) -> None:
        written = re.search(rf"<!-- written by the code: {name} -->\n\n(.*?)\n\n<!-- end -->", page, re.DOTALL)
        assert written, f"The page has no part {name}."
        assert written[1] == PARTS[name](), HOW

    def test_has_no_part_that_nobody_writes(self, page: str) -> None:
        assert re.findall(r"<!-- written by the code: (\w+) -->", page) == list(PARTS)
        assert page.count("<!-- end -->") == len(PARTS)


class TestDiagram:
    def test_has_a_cause_for_each_declared_transition_and_no_other(self) -> None:
        assert set(causes()) == set(declared())

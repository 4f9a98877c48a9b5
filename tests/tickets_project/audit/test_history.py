"""The history that admin pages show of a thing."""

import pytest

from tests.factories import NOON, StaffFactory
from tickets_project.audit.acts import Act
from tickets_project.audit.history import MOST_ENTRIES, history_of
from tickets_project.audit.recording import record

pytestmark = pytest.mark.django_db


class TestHistoryOf:
    def test_tells_the_newest_first(self) -> None:
        ann = Act(at=NOON, actor=StaffFactory.create(username="ann"), reason="ill", details={"refund_amount": "5.00"})
        record("booking_created", ("booking", "1"), Act(at=NOON), new="pending")
        record("booking_cancelled", ("booking", "1"), ann, old="pending", new="cancelled")
        section = history_of(["1"])
        assert (section.title, len(section.headers), section.note) == ("History", 6, "")
        newest, oldest = section.rows
        assert "2026-05-02 12:00:00" in str(newest[0])
        assert list(newest[1:]) == ["booking cancelled", "pending → cancelled", "ann", "ill", "refund_amount: 5.00"]
        assert list(oldest[1:]) == ["booking created", "→ pending", "system", "-", "-"]

    def test_tells_what_changed_no_state(self) -> None:
        record("show_changed", ("show", "1"), Act(at=NOON, details={"title": "Aida", "doors": None, "note": ""}))
        [row] = history_of(["1"]).rows
        assert (row[2], row[5]) == ("-", "title: Aida")

    def test_tells_of_these_things_alone(self) -> None:
        for number in "123":
            record("booking_created", ("booking", number), Act(at=NOON))
        assert len(history_of(["1", "3"]).rows) == 2
        assert history_of([]).rows == []

    @pytest.mark.parametrize("count", [MOST_ENTRIES, MOST_ENTRIES + 1])
    def test_ends_somewhere_and_says_so(self, count: int) -> None:
        for number in range(count):
            record(f"act_{number}", ("booking", "1"), Act(at=NOON))
        section = history_of(["1"])
        assert len(section.rows) == MOST_ENTRIES
        assert section.rows[0][1] == f"act {count - 1}"
        assert bool(section.note) is (count > MOST_ENTRIES)

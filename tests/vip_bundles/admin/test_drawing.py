"""The drawing of a bundle's states: all that is declared is in it, and the way that a bundle took is marked."""

from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from tests.factories import NOON, made_bundle, staff_act
from tests.vip_bundles.stored import (
    booking_failed,
    confirmed,
    hear,
    standing,
    stored,
)
from tickets_project.audit.acts import Act
from vip_bundles.admin.drawing import LINES, PLACES, declared_ways, draw
from vip_bundles.admin.layout import WIDTH, height_of
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.services import flag_stuck, retry_step, roll_back

SVG = "{http://www.w3.org/2000/svg}"
BOOKING = [State.BOOKING_SHOW, State.BOOKING_INBOUND_FLIGHT, State.BOOKING_RETURN_FLIGHT, State.BOOKING_TAXI]
LABELS: dict[str, str] = {state: state.value.replace("_", " ") for state in State}


@dataclass(frozen=True)
class Seen:
    """What the looks of a part are, and what stands beside it."""

    styles: set[str]
    note: str = ""


class Drawing:
    """A drawing as it is read from its SVG."""

    def __init__(self, bundle: VipBundle) -> None:
        bundle = stored(bundle)
        text = draw(bundle, bundle.facts()).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
        self.root = ET.fromstring(text)  # noqa: S314 - our own

    @property
    def boxes(self) -> dict[str, Seen]:
        found = {}
        for group in self._groups("bundle-box"):
            label, *note = [text.text or "" for text in group.iter(f"{SVG}text")]
            found[label] = Seen(self._styles(group), *note)
        return found

    @property
    def lines(self) -> dict[str, Seen]:
        found = {}
        for group in self._groups("bundle-line"):
            title, _, often = (group.findtext(f"{SVG}title") or "").partition(", ")
            found[title] = Seen(self._styles(group), often)
        return found

    def with_style(self, style: str) -> list[str]:
        """Return the boxes that look so, in the order of their places."""
        return [label for label, seen in self.boxes.items() if style in seen.styles]

    def taken(self) -> set[str]:
        return {title for title, seen in self.lines.items() if "taken" in seen.styles}

    def _groups(self, name: str) -> list[ET.Element]:
        return [group for group in self.root.iter(f"{SVG}g") if name in group.attrib["class"].split()]

    @staticmethod
    def _styles(group: ET.Element) -> set[str]:
        return set(group.attrib["class"].split()[1:])


def ways(*states: State) -> set[str]:
    """Return what the lines from each to the next are called."""
    return {f"{LABELS[old]} → {LABELS[new]}" for old, new in pairwise(states)}


class TestPlaces:
    def test_has_one_for_each_declared_state(self) -> None:
        assert set(PLACES) == set(State)
        assert {state for way in declared_ways() for state in way} == set(State)

    def test_has_no_two_in_one_place(self) -> None:
        assert len({(place.row, place.aside) for place in PLACES.values()}) == len(PLACES)


class TestLines:
    def test_has_one_for_each_declared_transition_and_no_other(self) -> None:
        forward = [State.INITIALIZED, *BOOKING, State.FINALIZED]
        assert set(LINES) == {
            *pairwise(forward),
            (State.BOOKING_INBOUND_FLIGHT, State.BOOKING_TAXI),
            (State.BOOKING_INBOUND_FLIGHT, State.FINALIZED),
            (State.BOOKING_RETURN_FLIGHT, State.FINALIZED),
            *((state, State.ROLLING_BACK) for state in [State.INITIALIZED, *BOOKING]),
            (State.BOOKING_SHOW, State.FAILED),
            (State.ROLLING_BACK, State.FAILED),
            *((state, state) for state in [*BOOKING, State.ROLLING_BACK, State.FAILED]),
        }

    def test_leaves_out_nothing_that_is_declared(self) -> None:
        assert set(declared_ways()) == set(LINES)

    def test_crosses_no_box(self) -> None:
        for (source, target), line in LINES.items():
            for (x1, y1), (x2, y2) in pairwise(line.points):
                for state, place in PLACES.items():
                    across = min(x1, x2) < place.right and max(x1, x2) > place.left
                    down = min(y1, y2) < place.bottom and max(y1, y2) > place.top
                    assert not (across and down), (source, target, state)

    def test_says_nothing_across_another_line(self) -> None:
        for way, line in LINES.items():
            # About as wide as they are drawn.
            half = 3 * len(line.says)
            across, down = (half, 4) if line.turned == 0 else (4, half)
            for other in LINES.values():
                for (x1, y1), (x2, y2) in pairwise(other.points):
                    beside = min(x1, x2) > line.words_x + across or max(x1, x2) < line.words_x - across
                    over = min(y1, y2) > line.words_y + down or max(y1, y2) < line.words_y - down
                    assert beside or over or not line.says, way

    def test_stays_within_the_drawing(self) -> None:
        points = [point for line in LINES.values() for point in line.points]
        assert all(0 < x < WIDTH and 0 < y < height_of(PLACES) for x, y in points)


class TestDeclaredWays:
    def test_asks_the_model(self) -> None:
        forward = ("book_show", "book_inbound_flight", "book_return_flight", "book_taxi", "finalize")
        others = ("roll_back", "fail", "ask_again", "take_back_late")
        declared = {
            (str(each.source), str(each.target))
            for name in (*forward, *others)
            for each in getattr(VipBundle, name)._django_fsm.transitions.values()
        }
        assert set(declared_ways()) == declared


@pytest.mark.django_db
class TestDraw:
    def test_draws_every_state_and_every_transition_once(self) -> None:
        drawing = Drawing(made_bundle())
        assert list(drawing.boxes) == [LABELS[state] for state in PLACES]
        assert set(drawing.lines) == {f"{LABELS[old]} → {LABELS[new]}" for old, new in LINES}
        assert len(drawing._groups("bundle-line")) == len(LINES)

    def test_is_a_picture_that_is_told_in_words_too(self) -> None:
        root = Drawing(standing(State.BOOKING_INBOUND_FLIGHT, taxi=False)).root
        assert root.attrib["role"] == "img"
        told = [root.find(f"{SVG}*[@id='{part}']") for part in root.attrib["aria-labelledby"].split()]
        title, description = [part.text for part in told if part is not None]
        assert title == "The bundle's way through its states"
        assert description == (
            "The way it took: initialized, booking show, booking inbound flight. It stands at booking inbound flight."
            " Not wanted: booking taxi."
        )

    def test_scales_and_has_no_looks_or_scripts_of_its_own(self) -> None:
        root = Drawing(made_bundle()).root
        assert root.attrib["viewBox"] == f"0 0 {WIDTH} {height_of(PLACES)}"
        assert "width" not in root.attrib
        for part in root.iter():
            assert part.tag.removeprefix(SVG) in {"svg", "title", "desc", "g", "path", "polygon", "rect", "text"}
            assert not [name for name in part.attrib if name in {"style", "fill", "stroke"} or name.startswith("on")]

    @pytest.mark.parametrize("state", [state for state in State if state not in (State.ROLLING_BACK, State.FAILED)])
    def test_marks_where_it_stands_and_where_it_was(self, state: State) -> None:
        drawing = Drawing(standing(state, at=NOON))
        order = [State.INITIALIZED, *BOOKING, State.FINALIZED]
        before = order[: order.index(state)]
        assert drawing.with_style("here") == [LABELS[state]]
        assert drawing.with_style("passed") == [LABELS[each] for each in before]
        assert drawing.with_style("failed") == drawing.with_style("unwanted") == drawing.with_style("stuck") == []
        assert drawing.taken() == ways(*before, state)
        assert drawing.boxes[LABELS[state]].note.startswith("here since ")

    def test_tells_since_when(self) -> None:
        assert Drawing(made_bundle(at=NOON)).boxes["initialized"].note == "here since 12:00:00"

    def test_marks_the_step_that_failed_and_the_way_back(self) -> None:
        drawing = Drawing(standing(State.FAILED))
        assert drawing.with_style("here") == ["failed"]
        assert drawing.with_style("failed") == ["booking taxi"]
        assert drawing.boxes["booking taxi"].note.startswith("failed ")
        assert drawing.with_style("passed")[-1] == "rolling back"
        assert drawing.taken() == ways(State.INITIALIZED, *BOOKING, State.ROLLING_BACK, State.FAILED)

    def test_marks_a_show_that_was_sold_out_without_a_way_back(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_failed(bundle))
        drawing = Drawing(bundle)
        assert drawing.with_style("failed") == ["booking show"]
        assert drawing.with_style("passed") == ["initialized"]
        assert drawing.taken() == ways(State.INITIALIZED, State.BOOKING_SHOW, State.FAILED)

    def test_marks_the_step_that_a_person_rolled_back(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        roll_back(vip_bundle_id=bundle.id, act=staff_act(at=NOON, reason="the customer is ill"))
        drawing = Drawing(bundle)
        assert drawing.boxes["booking show"] == Seen({"failed"}, "rolled back 12:00:00")
        assert "The step that was rolled back: booking show." in (drawing.root.findtext(f"{SVG}desc") or "")

    @pytest.mark.parametrize(
        ("wants", "unwanted", "way"),
        [
            ({"return_flight": False, "taxi": True}, ["booking return flight"], BOOKING[:2] + BOOKING[3:]),
            ({"return_flight": True, "taxi": False}, ["booking taxi"], BOOKING[:3]),
            ({"return_flight": False, "taxi": False}, ["booking return flight", "booking taxi"], BOOKING[:2]),
        ],
    )
    def test_dims_what_it_does_not_want(self, wants: dict[str, bool], unwanted: list[str], way: list[State]) -> None:
        drawing = Drawing(standing(State.FINALIZED, **wants))
        assert drawing.with_style("unwanted") == unwanted
        assert {drawing.boxes[label].note for label in unwanted} == {"not wanted"}
        assert drawing.taken() == ways(State.INITIALIZED, *way, State.FINALIZED)
        dimmed = {title for title, seen in drawing.lines.items() if "unwanted" in seen.styles}
        forward = {title for title in drawing.lines if "rolling back" not in title and not title.endswith("failed")}
        loops = {f"{LABELS[state]} → {LABELS[state]}" for state in BOOKING}
        assert dimmed == forward - loops - drawing.taken()

    def test_dims_the_short_cuts_of_one_that_wants_everything(self) -> None:
        drawing = Drawing(made_bundle())
        assert {title for title, seen in drawing.lines.items() if "unwanted" in seen.styles} == {
            *ways(State.BOOKING_INBOUND_FLIGHT, State.BOOKING_TAXI),
            *ways(State.BOOKING_INBOUND_FLIGHT, State.FINALIZED),
            *ways(State.BOOKING_RETURN_FLIGHT, State.FINALIZED),
        }

    def test_counts_how_often_a_step_was_asked_for_again(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        for _ in range(3):
            retry_step(vip_bundle_id=bundle.id, act=staff_act(reason="once more"))
        line = Drawing(bundle).lines["booking inbound flight → booking inbound flight"]
        assert line == Seen({"taken", "stays"}, "3 times")

    def test_counts_what_was_taken_back_late(self) -> None:
        bundle = standing(State.FAILED)
        hear(confirmed(bundle))
        assert Drawing(bundle).lines["failed → failed"] == Seen({"taken", "stays", "unhappy"}, "once")

    def test_marks_where_it_is_stuck(self) -> None:
        bundle = standing(State.BOOKING_SHOW, at=NOON)
        flag_stuck(vip_bundle_id=bundle.id, act=Act(at=stored(bundle).deadline_at))
        drawing = Drawing(bundle)
        assert drawing.with_style("stuck") == drawing.with_style("here") == ["booking show"]
        assert drawing.boxes["booking show"].note.startswith("stuck since ")
        assert "It stands at booking show, stuck." in (drawing.root.findtext(f"{SVG}desc") or "")

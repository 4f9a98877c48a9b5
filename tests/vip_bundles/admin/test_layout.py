"""Where boxes and lines are."""

from itertools import combinations, pairwise

import pytest

from vip_bundles.admin.layout import BOX_HEIGHT, WIDTH, Line, Place, Point, height_of, lines_between

TOP, MIDDLE, BOTTOM = Place(row=0), Place(row=1), Place(row=2)
ASIDE, LAST_ASIDE = Place(row=1, aside=True), Place(row=3, aside=True)
PLACES = {"top": TOP, "middle": MIDDLE, "bottom": BOTTOM, "last": Place(row=3), "aside": ASIDE, "end": LAST_ASIDE}
WAYS = [
    ("top", "middle"),
    ("top", "bottom"),
    ("top", "last"),
    ("middle", "last"),
    ("middle", "aside"),
    ("bottom", "aside"),
    ("top", "end"),
    ("aside", "end"),
    ("bottom", "bottom"),
]


def line(source: str, target: str) -> Line:
    return lines_between(WAYS, PLACES, says={("top", "last"): "in a hurry"})[source, target]


def crosses(start: Point, end: Point, place: Place) -> bool:
    """Tell whether a stretch of right angles goes through a box."""
    (x1, x2), (y1, y2) = sorted([start[0], end[0]]), sorted([start[1], end[1]])
    return x1 < place.right and x2 > place.left and y1 < place.bottom and y2 > place.top


class TestLinesBetween:
    def test_leads_straight_to_the_next_box(self) -> None:
        assert line("top", "middle").points == [(TOP.x, TOP.bottom), (MIDDLE.x, MIDDLE.top)]

    def test_passes_the_boxes_of_its_own_column_on_their_left(self) -> None:
        start, *bends, end = line("top", "bottom").points
        assert (start, end) == ((TOP.left, TOP.y), (BOTTOM.left, BOTTOM.y))
        assert all(x < TOP.left for x, _ in bends)

    def test_keeps_lines_that_run_beside_each_other_apart(self) -> None:
        xs = [line(*way).points[1][0] for way in (("top", "bottom"), ("top", "last"), ("middle", "last"))]
        assert len(set(xs)) == 3
        # Two that do not meet share a place.
        ways = [("top", "bottom"), ("bottom", "fourth")]
        lines = lines_between(ways, PLACES | {"third": Place(row=3), "fourth": Place(row=4)}, says={})
        assert len({drawn.points[1][0] for drawn in lines.values()}) == 1

    def test_goes_aside_between_the_columns(self) -> None:
        assert line("middle", "aside").points == [(MIDDLE.right, MIDDLE.y), (ASIDE.left, ASIDE.y)]
        assert line("bottom", "aside").points[0] == (BOTTOM.right, BOTTOM.y)
        assert line("bottom", "aside").points[-1] == (ASIDE.left, ASIDE.y)

    def test_goes_around_a_box_that_stands_in_its_way(self) -> None:
        *_, before, end = line("top", "end").points
        assert end == (LAST_ASIDE.right, LAST_ASIDE.y)
        assert before[0] > ASIDE.right

    def test_loops_on_top_of_a_box_that_it_stays_at(self) -> None:
        start, end = line("bottom", "bottom").points
        assert start[1] == end[1] == BOTTOM.top
        assert BOTTOM.x < start[0] < end[0] < BOTTOM.right

    @pytest.mark.parametrize("way", WAYS, ids=" to ".join)
    def test_crosses_no_box(self, way: tuple[str, str]) -> None:
        stretches = list(pairwise(line(*way).points))
        assert not [name for name, place in PLACES.items() for ends in stretches if crosses(*ends, place)]

    def test_says_what_it_is_told_beside_the_line_alone(self) -> None:
        assert {drawn.says for drawn in lines_between(WAYS, PLACES, says={("top", "last"): "in a hurry"}).values()} == {
            "",
            "in a hurry",
        }
        hurried = line("top", "last")
        assert (hurried.turned, hurried.words_x < hurried.points[1][0]) == (-90, True)
        assert line("top", "end").turned == 0
        straight = line("top", "middle")
        assert TOP.bottom < straight.words_y < MIDDLE.top

    def test_draws_none_to_or_from_a_state_without_a_place(self) -> None:
        assert lines_between([("top", "nowhere"), ("nowhere", "top")], PLACES, says={}) == {}

    def test_ends_in_an_arrow(self) -> None:
        assert line("top", "middle").head.split()[0] == f"{MIDDLE.x:g},{MIDDLE.top:g}"
        assert line("top", "end").head.split()[0] == f"{LAST_ASIDE.right:g},{LAST_ASIDE.y:g}"


class TestPlace:
    def test_overlaps_no_other(self) -> None:
        for one, other in combinations(PLACES.values(), 2):
            apart = abs(one.x - other.x) >= (one.width + other.width) / 2 or abs(one.y - other.y) >= BOX_HEIGHT
            assert apart, (one, other)


class TestHeightOf:
    def test_holds_all(self) -> None:
        height = height_of(PLACES)
        points = [point for drawn in lines_between(WAYS, PLACES, says={}).values() for point in drawn.points]
        assert all(0 < x < WIDTH and 0 < y < height for x, y in points)
        assert all(place.left > 0 and place.right < WIDTH and place.bottom < height for place in PLACES.values())

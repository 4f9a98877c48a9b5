"""Where the boxes and lines of a drawn state machine are: two columns of boxes, and lines of right angles. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

WIDTH = 446
BOX_HEIGHT = 46

_ROW_HEIGHT, _FIRST_ROW = 84, 46
_LANE = 22
_LONG = 120
_BEND = 10
_HEAD = 7

Point = tuple[float, float]
Way = tuple[str, str]
"""From which state to which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a state's box stands: in the main column, or aside of it."""

    row: int
    aside: bool = False

    @property
    def width(self) -> float:
        """Return the box's width."""
        return 120 if self.aside else 168

    @property
    def x(self) -> float:
        """Return the box's middle."""
        return 358 if self.aside else 176

    @property
    def y(self) -> float:
        """Return the box's middle."""
        return _FIRST_ROW + self.row * _ROW_HEIGHT

    @property
    def left(self) -> float:
        """Return the box's left side."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """Return the box's right side."""
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        """Return the box's upper side."""
        return self.y - BOX_HEIGHT / 2

    @property
    def bottom(self) -> float:
        """Return the box's lower side."""
        return self.y + BOX_HEIGHT / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One transition: an SVG path, its head, and where words about it stand, turned by so many degrees."""

    points: Sequence[Point]
    path: str
    head: str
    words_x: float
    words_y: float
    turned: int = 0
    says: str = ""


_BUS = (Place(row=0).right + Place(row=0, aside=True).left) / 2
_OUTSIDE = Place(row=0, aside=True).right + 16


def height_of(places: Mapping[str, Place]) -> float:
    """Return the height of the whole drawing."""
    return max(place.bottom for place in places.values()) + _BEND


def lines_between(ways: Iterable[Way], places: Mapping[str, Place], *, says: Mapping[Way, str]) -> dict[Way, Line]:
    """Return the line of each way; one whose ends have no place has none.

    :param says: words that stand beside some of them
    """
    placed = [way for way in ways if way[0] in places and way[1] in places]
    lanes = _lanes(placed, places)
    return {way: _line(way, places, lane=lanes.get(way, 0), says=says.get(way, "")) for way in placed}


def _line(way: Way, places: Mapping[str, Place], *, lane: int, says: str) -> Line:
    source, target = places[way[0]], places[way[1]]
    if source == target:
        return _loop(source)
    points = _points(source, target, lane=lane, in_the_way=_boxes_between(source, target, places))
    x, y, turned = _beside(points)
    return Line(
        path=_bent(_shortened(points)),
        points=points,
        head=_head(points),
        words_x=x,
        words_y=y,
        turned=turned,
        says=says,
    )


def _beside(points: Sequence[Point]) -> tuple[float, float, int]:
    """Return where words about a line stand: over its beginning, or turned beside its first way down."""
    (x1, y1), (x2, y2), *_ = points
    if x2 - x1 > _LONG:
        return (x1 + x2) / 2, y1 - 5, 0
    # Lines that begin at the next row may cross it further down.
    return x2 - 5, (y1 + y2) / 2 if x1 == x2 else y2 + _ROW_HEIGHT / 2, -90


def _boxes_between(source: Place, target: Place, places: Mapping[str, Place]) -> bool:
    """Tell whether another box stands on the straight way down the target's column."""
    rows = range(source.row + 1, target.row)
    return any(place.row in rows and place.aside == target.aside for place in places.values())


def _points(source: Place, target: Place, *, lane: int, in_the_way: bool) -> list[Point]:
    if source.aside == target.aside and not in_the_way:
        return [(source.x, source.bottom), (target.x, target.top)]
    if source.aside == target.aside:
        x = source.left - lane * _LANE
        return [(source.left, source.y), (x, source.y), (x, target.y), (target.left, target.y)]
    if in_the_way:
        return [(source.right, source.y), (_OUTSIDE, source.y), (_OUTSIDE, target.y), (target.right, target.y)]
    if source.row == target.row:
        return [(source.right, source.y), (target.left, target.y)]
    return [(source.right, source.y), (_BUS, source.y), (_BUS, target.y), (target.left, target.y)]


def _lanes(ways: Iterable[Way], places: Mapping[str, Place]) -> dict[Way, int]:
    """Give each line that passes boxes of its own column a lane; the shortest is innermost."""
    lanes: dict[Way, int] = {}
    for way in sorted(ways, key=lambda way: (places[way[1]].row - places[way[0]].row, way)):
        source, target = places[way[0]], places[way[1]]
        if source.aside == target.aside and _boxes_between(source, target, places):
            taken = {lane for other, lane in lanes.items() if _overlap(way, other, places)}
            lanes[way] = next(lane for lane in range(1, len(taken) + 2) if lane not in taken)
    return lanes


def _overlap(way: Way, other: Way, places: Mapping[str, Place]) -> bool:
    (first, last), (first_of_other, last_of_other) = ([places[state].row for state in each] for each in (way, other))
    return first < last_of_other and first_of_other < last


def _loop(place: Place) -> Line:
    """Return a line from a box to itself, on its upper side."""
    start, end, above = place.right - 38, place.right - 14, place.top - 22
    points = [(start, place.top), (end, place.top)]
    head = _head([(end, above), (end, place.top)])
    path = f"M{start:g},{place.top:g} C{start:g},{above:g} {end:g},{above:g} {end:g},{place.top - _HEAD:g}"
    return Line(points=points, path=path, head=head, words_x=(start + end) / 2, words_y=place.top - 19)


def _shortened(points: Sequence[Point]) -> list[Point]:
    """Return the points with the last one where the head begins."""
    *rest, before, (x, y) = points
    dx, dy = _direction(before, (x, y))
    return [*rest, before, (x - dx * _HEAD, y - dy * _HEAD)]


def _direction(start: Point, end: Point) -> Point:
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _bent(points: Sequence[Point]) -> str:
    """Return an SVG path through the points, its corners rounded."""
    parts = [f"M{points[0][0]:g},{points[0][1]:g}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (bx, by), (x, y) = _direction(before, corner), _direction(corner, after), corner
        into, out = (x - ax * _BEND, y - ay * _BEND), (x + bx * _BEND, y + by * _BEND)
        parts.append(f"L{into[0]:g},{into[1]:g} Q{x:g},{y:g} {out[0]:g},{out[1]:g}")
    return " ".join([*parts, f"L{points[-1][0]:g},{points[-1][1]:g}"])


def _head(points: Sequence[Point]) -> str:
    """Return the corners of an arrow's head at the last point."""
    *_, before, (x, y) = points
    dx, dy = _direction(before, (x, y))
    back_x, back_y, half = x - dx * _HEAD * 1.4, y - dy * _HEAD * 1.4, _HEAD * 0.7
    corners = [(x, y), (back_x - dy * half, back_y + dx * half), (back_x + dy * half, back_y - dx * half)]
    return " ".join(f"{a:g},{b:g}" for a, b in corners)

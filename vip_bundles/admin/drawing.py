"""A bundle's states as an SVG: drawn once from the transitions that the model declares, then marked for one bundle."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tickets_project.admin_site.display import clock
from vip_bundles.admin.layout import BOX_HEIGHT, WIDTH, Line, Place, Way, height_of, lines_between
from vip_bundles.facts import FAILING, Bundle, State
from vip_bundles.models import STATES, BundleMove, VipBundle

PLACES: Mapping[str, Place] = {
    State.INITIALIZED: Place(row=0),
    State.BOOKING_SHOW: Place(row=1),
    State.BOOKING_INBOUND_FLIGHT: Place(row=2),
    State.BOOKING_RETURN_FLIGHT: Place(row=3),
    State.BOOKING_TAXI: Place(row=4),
    State.FINALIZED: Place(row=5),
    State.ROLLING_BACK: Place(row=3, aside=True),
    State.FAILED: Place(row=5, aside=True),
}
"""Where each state stands: those that book in a column, the way out of them beside it."""

_SAYS: Mapping[Way, str] = {
    (State.BOOKING_SHOW, State.FAILED): "sold out",
    (State.BOOKING_INBOUND_FLIGHT, State.BOOKING_TAXI): "no return",
    (State.BOOKING_RETURN_FLIGHT, State.FINALIZED): "no taxi",
    (State.BOOKING_INBOUND_FLIGHT, State.FINALIZED): "neither",
}
_LABELS = dict(STATES)


def declared_ways() -> list[Way]:
    """Return the transitions that the model declares, those that stay in their state included."""
    declared = VipBundle._meta.get_field("state").get_all_transitions(VipBundle)  # noqa: SLF001 - Django's documented API
    return sorted({(str(each.source), str(each.target)) for each in declared})


LINES = lines_between(declared_ways(), PLACES, says=_SAYS)
"""The line of each declared transition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLine:
    """A transition as it is drawn for one bundle; `style` names its looks, `note` says how often it was taken."""

    line: Line
    title: str
    style: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBox:
    """A state as it is drawn for one bundle; `style` names its looks, `note` says what became of it."""

    place: Place
    label: str
    style: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """Where a bundle was, and where it is."""

    bundle: VipBundle
    facts: Bundle
    moves: tuple[BundleMove, ...]

    @property
    def taken(self) -> Counter[Way]:
        """Return how often it took each transition."""
        return Counter((move.from_state, move.to_state) for move in self.moves)

    @property
    def entered(self) -> dict[str, str]:
        """Return the states that it was in, each with the time when it came there."""
        into = {move.to_state: clock(move.at) for move in reversed(self.moves) if move.from_state != move.to_state}
        return {State.INITIALIZED.value: clock(self.bundle.created_at), **into}

    @property
    def failure(self) -> BundleMove | None:
        """Return the move that left a step because it failed, or because a person wanted so."""
        return next((move for move in self.moves if move.is_failure), None)

    @property
    def wanted(self) -> set[Way]:
        """Return the transitions that lead through what it wants."""
        return set(pairwise([State.INITIALIZED, *self.facts.steps, State.FINALIZED]))


def draw(bundle: VipBundle, facts: Bundle) -> SafeString:
    """Return the drawing with the way that the bundle took, where it stands, and what it does not want."""
    path = _Path(bundle=bundle, facts=facts, moves=tuple(bundle.moves.all()))
    lines = [_line(way, line, path) for way, line in LINES.items()]
    context = {
        "width": WIDTH,
        "height": height_of(PLACES),
        "box_height": BOX_HEIGHT,
        "description": " ".join(_told(path)),
        # What was taken lies over what was not.
        "lines": sorted(lines, key=lambda drawn: "taken" in drawn.style),
        "boxes": [_box(state, place, path) for state, place in PLACES.items()],
    }
    return render_to_string("vip_bundles/drawing.html", context)


def _line(way: Way, line: Line, path: _Path) -> DrawnLine:
    (source, target), times = way, path.taken[way]
    styles = {
        "taken": times > 0,
        "unwanted": not times and target not in FAILING and source != target and way not in path.wanted,
        "unhappy": target in FAILING,
        "stays": source == target,
    }
    return DrawnLine(
        line=line,
        title=f"{_LABELS[source]} → {_LABELS[target]}" + (f", {_often(times)}" if times else ""),
        style=_names(styles),
        note=_often(times) if times and source == target else "",
    )


def _box(state: str, place: Place, path: _Path) -> DrawnBox:
    is_here, failed = state == path.facts.state, path.failure is not None and path.failure.from_state == state
    styles = {
        "here": is_here,
        "stuck": is_here and path.bundle.stuck_at is not None,
        "failed": failed,
        "passed": state in path.entered and not is_here and not failed,
        "unwanted": _is_unwanted(state, path),
        "unhappy": state in FAILING,
        "good": state == State.FINALIZED,
    }
    return DrawnBox(place=place, label=_LABELS[state], style=_names(styles), note=_note(state, path))


def _note(state: str, path: _Path) -> str:
    if path.failure and path.failure.from_state == state:
        # Without a message a person wanted it.
        word = "failed" if path.failure.message_id else "rolled back"
        return f"{word} {clock(path.failure.at)}"
    if state == path.facts.state:
        return f"{'stuck' if path.bundle.stuck_at else 'here'} since {path.entered.get(state, '?')}"
    return "not wanted" if _is_unwanted(state, path) else path.entered.get(state, "")


def _is_unwanted(state: str, path: _Path) -> bool:
    on_the_way = {state for way in path.wanted for state in way} | FAILING
    return state not in on_the_way


def _told(path: _Path) -> Iterable[str]:
    """Yield what the drawing shows, in sentences."""
    way = [State.INITIALIZED.value, *(move.to_state for move in path.moves if move.from_state != move.to_state)]
    yield f"The way it took: {', '.join(_LABELS[state] for state in way)}."
    yield f"It stands at {_LABELS[path.facts.state]}{', stuck' if path.bundle.stuck_at else ''}."
    if path.failure:
        what = "failed" if path.failure.message_id else "was rolled back"
        yield f"The step that {what}: {_LABELS[path.failure.from_state]}."
    if unwanted := [_LABELS[state] for state in PLACES if _is_unwanted(state, path)]:
        yield f"Not wanted: {', '.join(unwanted)}."


def _often(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times} times")


def _names(styles: Mapping[str, bool]) -> str:
    return " ".join(name for name, applies in styles.items() if applies)

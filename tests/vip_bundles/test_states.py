"""Who moves a bundle: the declared transitions alone, and the database knows the very same moves."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django_fsm import TransitionNotAllowed

from tests.factories import NOON, made_bundle, staff_act
from tests.vip_bundles.stored import audited, leaving_nothing, standing, stored
from tickets_project.audit.states import StateChangedInBulk
from vip_bundles.facts import ENDED, State
from vip_bundles.models import VipBundle
from vip_bundles.services import roll_back

MOVES = importlib.import_module("vip_bundles.migrations.0002_refuse_undeclared_moves").MOVES
TABLE, TRIGGER = "vip_bundles_vipbundle", "vip_bundles_vipbundle_declared_move"
SELF_MOVES = {"ask_again", "take_back_late"}


def transitions() -> list[Any]:
    field: Any = VipBundle._meta.get_field("state")
    return list(field.get_all_transitions(VipBundle))


def declared() -> set[tuple[str, str]]:
    return {(str(each.source), str(each.target)) for each in transitions()}


def move(bundle: VipBundle, state: str) -> None:
    """Change a state as a person at the database's prompt does, who knows what an end needs."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {TABLE} SET state = %s, finalized_at = CASE WHEN %s THEN now() END WHERE id = %s",  # noqa: S608 - our own table
            [state, State(state) in ENDED, bundle.pk],
        )


def lay(bundle: VipBundle, state: str) -> VipBundle:
    """Put a bundle into a state past the trigger, which is on again afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER {TRIGGER}")
        move(bundle, state)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER {TRIGGER}")
    return stored(bundle)


class TestMoves:
    def test_are_those_that_the_model_declares(self) -> None:
        assert set(MOVES) == {(old, new) for old, new in declared() if old != new}
        assert len(MOVES) == len(set(MOVES))

    def test_stay_where_a_step_is_asked_for_again_or_something_late_is_taken_back(self) -> None:
        assert {each.name for each in transitions() if each.source == each.target} == SELF_MOVES
        assert {old for old, new in declared() if old == new} == set(State) - {State.INITIALIZED, State.FINALIZED}

    def test_leave_no_end_and_come_to_no_beginning(self) -> None:
        assert {old for old, _ in MOVES} == set(State) - ENDED
        assert {new for _, new in MOVES} == set(State) - {State.INITIALIZED}

    @pytest.mark.django_db
    def test_are_all_that_the_database_takes(self) -> None:
        bundle, taken = made_bundle(), set()
        for old in State:
            for new in State:
                lay(bundle, old)
                try:
                    move(bundle, new)
                except IntegrityError as refusal:
                    assert f"A bundle does not go from {old} to {new}." in str(refusal)  # noqa: PT017 - the grid counts both
                else:
                    taken.add((str(old), str(new)))
        assert taken == set(MOVES) | {(str(state), str(state)) for state in State}

    @pytest.mark.django_db
    def test_do_not_hinder_other_changes(self) -> None:
        bundle = made_bundle()
        assert VipBundle.objects.filter(id=bundle.id).update(customer_email="eve@customers.example") == 1


@pytest.mark.django_db
class TestTransitions:
    @pytest.mark.parametrize("name", sorted({each.name for each in transitions()}))
    def test_refuse_every_other_state(self, name: str) -> None:
        bundle, act = made_bundle(), staff_act()
        sources = {each.source for each in transitions() if each.name == name}
        for state in set(State) - sources:
            row = lay(bundle, state)
            with leaving_nothing(), pytest.raises(TransitionNotAllowed):
                getattr(row, name)(act=act)

    @pytest.mark.parametrize(("name", "old", "new"), [(each.name, each.source, each.target) for each in transitions()])
    def test_are_each_recorded_as_an_action_of_a_bundle(self, name: str, old: str, new: str) -> None:
        bundle, act = lay(made_bundle(), old), staff_act(reason="why")
        getattr(bundle, name)(act=act)
        action, *change = audited(bundle)[-1]
        assert change == [old, new, act.by]
        assert action.startswith("bundle_")
        assert bundle.state == new

    def test_have_each_an_action_of_its_own(self) -> None:
        names = {each.custom["action"]: each.name for each in transitions()}
        assert set(names.values()) == {each.name for each in transitions()}

    @pytest.mark.parametrize("name", ["finalize", "fail"])
    def test_that_end_it_leave_it_stuck_no_more(self, name: str) -> None:
        bundle = lay(made_bundle(), "booking_taxi" if name == "finalize" else "rolling_back")
        bundle.stuck_at = NOON
        getattr(bundle, name)(act=staff_act())
        assert bundle.stuck_at is None


@pytest.mark.django_db
class TestState:
    def test_is_assigned_by_nobody(self) -> None:
        with pytest.raises(AttributeError):
            made_bundle().state = "finalized"

    @pytest.mark.parametrize(
        "change",
        [
            lambda _row: VipBundle.objects.update(state="booking_show"),
            lambda row: VipBundle.objects.filter(pk=row.pk).update(failure_reason="", state="booking_show"),
            lambda row: VipBundle.objects.bulk_update([row], ["state"]),
            lambda row: VipBundle.objects.bulk_create(
                [row], update_conflicts=True, unique_fields=["id"], update_fields=["state"]
            ),
            lambda row: VipBundle.objects.bulk_create([row], None, False, True, ["state"], ["id"]),
            lambda row: row.owner.vip_bundles.update(state="booking_show"),
        ],
    )
    def test_is_changed_by_nobody_in_bulk(self, change: Callable[[VipBundle], object]) -> None:
        bundle = made_bundle()
        with leaving_nothing(), pytest.raises(StateChangedInBulk, match="one row at a time"):
            change(bundle)

    def test_leaves_the_rest_to_bulk_statements(self) -> None:
        bundle = made_bundle()
        assert VipBundle.objects.update(deadline_at=NOON) == 1
        assert VipBundle.objects.bulk_update([bundle], ["customer_email"]) == 1

    def test_of_a_stale_row_is_not_written_over(self) -> None:
        stale = standing(State.BOOKING_TAXI)
        roll_back(vip_bundle_id=stale.id, act=staff_act())
        stale.finalize(act=staff_act())
        stale.finalized_at = NOON
        with pytest.raises(IntegrityError, match="does not go from failed to finalized"), transaction.atomic():
            stale.save()


@pytest.mark.django_db
class TestFinalizedAt:
    @pytest.mark.parametrize("state", [state for state in State if state is not State.ROLLING_BACK])
    def test_is_known_of_what_has_ended_and_of_nothing_else(self, state: State) -> None:
        bundle = lay(made_bundle(), state)
        wrong = {"finalized_at": None} if state in ENDED else {"finalized_at": F("created_at")}
        with pytest.raises(IntegrityError, match="vip_bundles_vipbundle_finalized_at"), transaction.atomic():
            VipBundle.objects.filter(id=bundle.id).update(**wrong)

    def test_is_stored_at_each_end(self) -> None:
        for state in ENDED:
            standing(state)
        assert VipBundle.objects.filter(~Q(finalized_at=None)).count() == 2

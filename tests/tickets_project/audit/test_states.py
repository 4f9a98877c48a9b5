"""Every state of the project: no bulk statement changes it, and the database knows its moves."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model
from django_fsm import FSMField

from tests.factories import confirmed_booking, made_bundle
from tickets_project.audit.states import StateChangedInBulk, StateQuerySet

MODELS = {
    str(model._meta.label): model
    for model in apps.get_models()
    if any(isinstance(field, FSMField) for field in model._meta.fields)
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def state_fields(model: type[Model]) -> list[str]:
    return [field.name for field in model._meta.fields if isinstance(field, FSMField)]


class TestEveryModelWithAState:
    def test_is_one_of_these(self) -> None:
        assert set(MODELS) == {"bookings.Booking", "bookings.Ticket", "bookings.Refund", "vip_bundles.VipBundle"}

    @each_model
    def test_protects_its_one_state(self, model: type[Model]) -> None:
        [name] = state_fields(model)
        field: Any = model._meta.get_field(name)
        assert field.protected

    @each_model
    def test_guards_its_bulk_statements(self, model: type[Model]) -> None:
        assert isinstance(model._default_manager.all(), StateQuerySet)

    @pytest.mark.django_db
    @each_model
    def test_has_its_moves_in_the_database(self, model: type[Model]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgenabled::text FROM pg_trigger WHERE tgname = %s", [f"{model._meta.db_table}_declared_move"]
            )
            assert cursor.fetchall() == [("O",)]


def by_position(row: Any, name: str) -> object:
    return type(row).objects.bulk_create([row], None, False, True, [name], ["id"])


def by_name(row: Any, name: str) -> object:
    return type(row).objects.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=[name])


@pytest.mark.django_db
@pytest.mark.parametrize(("make", "name"), [(confirmed_booking, "status"), (made_bundle, "state")])
class TestStateQuerySet:
    @pytest.mark.parametrize(
        "change",
        [
            lambda row, name: type(row).objects.update(**{name: "booking_show"}),
            lambda row, name: type(row).objects.update(
                **{"customer_email": "eve@customers.example", name: "cancelled"}
            ),
            lambda row, name: type(row).objects.bulk_update([row], [name]),
            lambda row, name: type(row).objects.bulk_update([row], iter(["customer_email", name])),
            by_name,
            by_position,
        ],
    )
    def test_changes_no_state_whatever_its_name(
        self, make: Callable[[], Any], name: str, change: Callable[[Any, str], object]
    ) -> None:
        row = make()
        before = list(type(row).objects.values())
        with pytest.raises(StateChangedInBulk, match="one row at a time"):
            change(row, name)
        assert list(type(row).objects.values()) == before

    def test_changes_everything_else(self, make: Callable[[], Any], name: str) -> None:
        row = make()
        rows = type(row).objects
        assert rows.update(customer_email="eve@customers.example") == 1
        assert rows.bulk_update([row], ["customer_email"]) == 1
        assert rows.bulk_create([row], ignore_conflicts=True) == [row]
        rows.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=["customer_email"])
        assert getattr(rows.get(), name) == getattr(row, name)

"""Rows with a state that only declared transitions change."""

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from django.db.models import Manager, Model, QuerySet
from django_fsm import FSMField

M = TypeVar("M", bound=Model)


class StateChangedInBulk(Exception):
    """A bulk statement would change a state past its transitions, and past the audit trail."""


class StateQuerySet(QuerySet[M]):
    """Changes anything in bulk but the state; a trigger refuses what gets past it and is no declared move."""

    def update(self, **values: Any) -> int:
        """Update the rows.

        :raises StateChangedInBulk: if a state is among the values
        """
        self._refuse_state(values)
        return super().update(**values)

    def bulk_create(  # noqa: PLR0913, PLR0917 - Django's: no argument gets past by its position
        self,
        objs: Iterable[M],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,  # noqa: FBT001, FBT002 - likewise
        update_conflicts: bool = False,  # noqa: FBT001, FBT002 - likewise
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[M]:
        """Insert the rows; those that are there already may be updated instead.

        :raises StateChangedInBulk: if a state is among the fields to update
        """
        self._refuse_state(update_fields or ())
        return super().bulk_create(objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields)

    def bulk_update(self, objs: Any, fields: Any, batch_size: int | None = None) -> int:
        """Update these rows' fields.

        :raises StateChangedInBulk: if a state is among the fields
        """
        fields = list(fields)
        self._refuse_state(fields)
        return super().bulk_update(objs, fields, batch_size)

    def _refuse_state(self, names: Iterable[str]) -> None:
        states = {field.name for field in self.model._meta.fields if isinstance(field, FSMField)}  # noqa: SLF001 - Django's documented API
        if states.intersection(names):
            raise StateChangedInBulk("Change a state by its transition, one row at a time.")


StateManager = Manager.from_queryset(StateQuerySet)

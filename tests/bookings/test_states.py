"""Who moves a state: the declared transitions alone, and the database knows the very same moves."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django_fsm import TransitionNotAllowed

from bookings.models import Booking, BookingStatus, Refund, RefundState, Ticket, TicketStatus
from bookings.services import cancel_booking
from tests.factories import NOON, confirmed_booking, pending_booking, staff_act
from tickets_project.audit.states import StateChangedInBulk

MOVES = importlib.import_module("bookings.migrations.0003_refuse_undeclared_moves").MOVES
MODELS: dict[str, tuple[type[Model], Any]] = {
    "booking": (Booking, BookingStatus),
    "ticket": (Ticket, TicketStatus),
    "refund": (Refund, RefundState),
}
each_model = pytest.mark.parametrize("name", list(MODELS))


def declared(name: str) -> set[tuple[str, str]]:
    return {(str(each.source), str(each.target)) for each in transitions_of(MODELS[name][0])}


def transitions_of(model: type[Model]) -> list[Any]:
    field: Any = model._meta.get_field("status")
    return list(field.get_all_transitions(model))


def stored(name: str) -> Any:
    if name == "booking":
        return pending_booking()
    ticket = confirmed_booking(seats=1).tickets.get()
    if name == "ticket":
        return ticket
    return Refund.objects.create(ticket=ticket, amount=1, currency="EUR", requested_at=NOON, requested_by="ada")


def move(row: Any, status: str) -> None:
    """Change a state as a person at the database's prompt does."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET status = %s WHERE id = %s", [status, row.pk])  # noqa: S608 - our own table


def lay(row: Any, status: str) -> None:
    """Put a row into a state past the trigger, which is on again afterwards."""
    table, trigger = row._meta.db_table, f"{row._meta.db_table}_declared_move"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        cursor.execute(f"UPDATE {table} SET status = %s WHERE id = %s", [status, row.pk])  # noqa: S608 - our own table
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


class TestMoves:
    def test_name_every_model_with_a_state(self) -> None:
        assert set(MOVES) == set(MODELS)

    @each_model
    def test_are_those_that_the_model_declares(self, name: str) -> None:
        assert set(MOVES[name]) == declared(name)
        assert len(MOVES[name]) == len(set(MOVES[name]))

    @each_model
    def test_are_between_states_that_exist(self, name: str) -> None:
        assert {status for pair in MOVES[name] for status in pair} <= set(MODELS[name][1].values)

    @pytest.mark.django_db
    @each_model
    def test_are_all_that_the_database_takes(self, name: str) -> None:
        row, statuses = stored(name), MODELS[name][1].values
        taken = set()
        for old in statuses:
            for new in statuses:
                lay(row, old)
                try:
                    move(row, new)
                except IntegrityError as refusal:
                    assert f"A {name} does not go from {old} to {new}." in str(refusal)  # noqa: PT017 - the grid counts both
                else:
                    taken.add((old, new))
        assert taken == declared(name) | {(status, status) for status in statuses}

    @pytest.mark.django_db
    def test_do_not_hinder_other_changes(self) -> None:
        row = stored("booking")
        assert Booking.objects.filter(id=row.id).update(customer_email="eve@customers.example") == 1


@pytest.mark.django_db
class TestTransitions:
    @each_model
    def test_refuse_every_other_state(self, name: str) -> None:
        model, statuses = MODELS[name]
        row = stored(name)
        for transition in {each.name for each in transitions_of(model)}:
            sources = {each.source for each in transitions_of(model) if each.name == transition}
            for status in set(statuses.values) - sources:
                lay(row, status)
                with pytest.raises(TransitionNotAllowed):
                    getattr(type(row).objects.get(pk=row.pk), transition)(act=staff_act())


@pytest.mark.django_db
class TestStateQuerySet:
    @each_model
    @pytest.mark.parametrize(
        "change",
        [
            lambda row: type(row).objects.update(status="cancelled"),
            lambda row: type(row).objects.filter(pk=row.pk).update(reason="", status="cancelled"),
            lambda row: type(row).objects.bulk_update([row], ["status"]),
            lambda row: type(row).objects.bulk_update([row], iter(["status"])),
            lambda row: type(row).objects.bulk_create(
                [row], update_conflicts=True, unique_fields=["id"], update_fields=["status"]
            ),
        ],
    )
    def test_changes_no_state(self, name: str, change: Callable[[Any], object]) -> None:
        row = stored(name)
        before = row.status
        with pytest.raises(StateChangedInBulk, match="one row at a time"):
            change(row)
        assert type(row).objects.get(pk=row.pk).status == before

    def test_changes_no_state_of_related_rows(self) -> None:
        booking = confirmed_booking()
        with pytest.raises(StateChangedInBulk):
            booking.tickets.update(status="cancelled")
        assert set(booking.tickets.values_list("status", flat=True)) == {"pending"}

    def test_changes_everything_else(self) -> None:
        booking = confirmed_booking()
        assert booking.tickets.update(file_name="a.html") == 2
        tickets = list(booking.tickets.all())
        assert Ticket.objects.bulk_update(tickets, ["file_name"]) == 2
        assert len(Ticket.objects.bulk_create(tickets, ignore_conflicts=True)) == 2


@pytest.mark.django_db
class TestStatus:
    @each_model
    def test_is_assigned_by_nobody(self, name: str) -> None:
        with pytest.raises(AttributeError):
            stored(name).status = "cancelled"

    def test_of_a_stale_row_is_not_written_over(self) -> None:
        booking = pending_booking()
        stale = Booking.objects.get(id=booking.id)
        cancel_booking(booking_id=booking.id, act=staff_act())
        stale.confirm(act=staff_act(), code="ABCDEFGH23", payment_id=None)
        with pytest.raises(IntegrityError, match="does not go from cancelled to confirmed"), transaction.atomic():
            stale.save()

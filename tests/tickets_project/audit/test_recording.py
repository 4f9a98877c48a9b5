"""The audit trail: what is recorded, with what it belongs to, and that nobody changes it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model
from django_fsm import TransitionNotAllowed

from bookings.models import Booking, Refund, Ticket
from bookings.services import cancel_booking
from tests.factories import NOON, StaffFactory, confirmed_booking, pending_booking, staff_act
from tickets_project.audit.acts import Act, act_of
from tickets_project.audit.models import AuditEntry
from tickets_project.audit.recording import record, subject_of
from tickets_project.correlation import Trace, tracing
from tickets_project.outbox.publishing import NotInTransaction

SUBJECT = ("booking", str(UUID(int=1)))


def recorded(**facts: Any) -> AuditEntry:
    entry = record("booking_made", SUBJECT, Act(**{"at": NOON} | facts))
    return AuditEntry.objects.get(id=entry.id)


@pytest.mark.django_db
class TestAct:
    def test_names_who_acts(self) -> None:
        ann = StaffFactory.create(username="ann")
        assert Act(at=NOON, actor=ann).by == "ann"
        assert Act(at=NOON).by == "system"
        assert Act(at=NOON, automatic="schedule").by == "schedule"

    def test_knows_the_member_of_staff(self) -> None:
        ann = StaffFactory.create()
        assert Act(at=NOON, actor=ann, as_staff=True).admin_id == ann.pk
        assert Act(at=NOON, actor=ann).admin_id is None
        assert Act(at=NOON, as_staff=True).admin_id is None

    def test_is_not_changed_by_what_is_added(self) -> None:
        act = Act(at=NOON, details={"a": 1})
        assert act.noting(b=2).noting(a=3).because("why").details == {"a": 3, "b": 2}
        assert (act.details, act.reason, act.because("why").reason) == ({"a": 1}, "", "why")

    @pytest.mark.parametrize(
        ("role", "is_staff", "expected"),
        [("ops", True, True), ("finance", True, False), ("", True, False), ("ops", False, False)],
    )
    def test_is_of_staff_with_the_permission(self, role: str, is_staff: bool, expected: bool) -> None:  # noqa: FBT001 - a table's cell
        user = StaffFactory.create(role=role, is_staff=is_staff)
        act = act_of(user, permission="bookings.change_booking", at=NOON, reason="why")
        assert (act.as_staff, act.actor, act.at, act.reason) == (expected, user, NOON, "why")


@pytest.mark.django_db
class TestRecord:
    def test_stores_who_did_what_when_and_why(self) -> None:
        ann = StaffFactory.create(username="ann")
        entry = recorded(actor=ann, reason="asked", details={"amount": Decimal("1.50"), "at": NOON, "id": UUID(int=2)})
        assert (entry.at, entry.action, entry.actor, entry.by, entry.reason) == (
            NOON,
            "booking_made",
            ann,
            "ann",
            "asked",
        )
        assert (entry.subject_type, entry.subject_id, entry.old, entry.new) == (*SUBJECT, "", "")
        assert entry.details == {"amount": "1.50", "at": "2026-05-02T12:00:00Z", "id": str(UUID(int=2))}
        assert str(entry) == "booking_made by ann"

    def test_stores_what_acted_when_nobody_did(self) -> None:
        entry = recorded(automatic="schedule")
        assert (entry.actor, entry.by) == (None, "schedule")

    def test_keeps_the_name_that_the_actor_had(self) -> None:
        ann = StaffFactory.create(username="ann")
        entry = recorded(actor=ann)
        User.objects.update(username="anna")
        assert AuditEntry.objects.get(id=entry.id).by == "ann"

    def test_stores_the_trace_that_it_belongs_to(self) -> None:
        with tracing(Trace(correlation_id="desk-7")):
            assert recorded().correlation_id == "desk-7"
        assert UUID(recorded().correlation_id)

    def test_keeps_an_actor_from_being_deleted(self) -> None:
        ann = StaffFactory.create()
        recorded(actor=ann)
        with pytest.raises(IntegrityError), transaction.atomic():
            ann.delete()


@pytest.mark.django_db(transaction=True)
class TestRecordTransaction:
    def test_refuses_outside_a_transaction(self) -> None:
        with pytest.raises(NotInTransaction, match=r"transaction\.atomic\(\)"):
            recorded()
        assert not AuditEntry.objects.exists()

    def test_is_rolled_back_with_the_change(self) -> None:
        booking = pending_booking()
        before = AuditEntry.objects.count()
        with transaction.atomic():
            booking.cancel(act=staff_act(), refund_amount=Decimal(0))
            booking.save()
            assert AuditEntry.objects.count() == before + 1
            transaction.set_rollback(True)
        assert AuditEntry.objects.count() == before
        assert Booking.objects.get().status == "pending"

    def test_stops_a_change_that_it_cannot_be_committed_with(self) -> None:
        booking = pending_booking()
        with pytest.raises(NotInTransaction):
            booking.cancel(act=staff_act(), refund_amount=Decimal(0))
        assert Booking.objects.get().status == "pending"


@pytest.mark.django_db(transaction=True)
class TestAuditEntry:
    @pytest.mark.parametrize(
        "change",
        [
            lambda: AuditEntry.objects.update(reason="none"),
            lambda: AuditEntry.objects.all().delete(),
            lambda: AuditEntry.objects.get().delete(),
            lambda: AuditEntry.objects.get().save(),
            lambda: AuditEntry.objects.bulk_update([AuditEntry.objects.get()], ["by"]),
            lambda: _run("UPDATE audit_auditentry SET by = 'nobody'"),
            lambda: _run("UPDATE audit_auditentry SET id = id"),
            lambda: _run("DELETE FROM audit_auditentry"),
        ],
    )
    def test_is_append_only(self, change: Callable[[], object]) -> None:
        with transaction.atomic():
            entry = recorded(reason="asked")
        before = list(AuditEntry.objects.values_list())
        with pytest.raises(DatabaseError, match="The audit trail is append-only"):
            change()
        assert list(AuditEntry.objects.values_list()) == before
        assert entry.reason == "asked"


class TestRecordTransition:
    """Every transition that a model declares."""

    @pytest.mark.django_db
    def test_records_each_that_is_declared(self) -> None:
        act = Act(at=NOON, automatic="test", reason="why", details={"noted": 1})
        for model, status, name, facts in _declared():
            row = _row(model, status)
            already = set(AuditEntry.objects.values_list("id", flat=True))
            getattr(row, name)(act=act, **facts)
            [made] = AuditEntry.objects.exclude(id__in=already)
            assert (made.subject_type, made.subject_id) == subject_of(row)
            assert (made.old, made.new, made.at, made.by) == (status, row.status, NOON, "test")
            assert (made.reason, made.details) == ("why", {"noted": 1})
            assert made.action.startswith(f"{made.subject_type}_")

    def test_gives_each_an_action_of_its_own(self) -> None:
        actions: dict[str, set[tuple[str, str]]] = {}
        for model in (Booking, Ticket, Refund):
            for transition in model._meta.get_field("status").get_all_transitions(model):
                key = (str(model._meta.model_name), transition.name)
                actions.setdefault(transition.custom["action"], set()).add(key)
        assert all(len(methods) == 1 for methods in actions.values())
        assert len(actions) == 14

    @pytest.mark.django_db
    @pytest.mark.parametrize("facts", [{}, {"act": None}, {"act": "ann"}, {"act": {"by": "ann"}}])
    def test_refuses_each_without_an_act(self, facts: dict[str, Any]) -> None:
        for model, status, name, others in _declared():
            row = _row(model, status)
            before = AuditEntry.objects.count()
            with pytest.raises((TypeError, AttributeError)):
                getattr(row, name)(**facts, **others)
            assert AuditEntry.objects.count() == before
            assert type(row).objects.filter(pk=row.pk, status=status).exists()

    @pytest.mark.django_db
    def test_says_what_is_missing(self) -> None:
        refund = _row(Refund, "failed")
        with pytest.raises(TypeError, match=r"Call try_again\(\) with its act"):
            refund.try_again(act=None)

    @pytest.mark.django_db
    def test_records_nothing_of_a_move_that_is_not_declared(self) -> None:
        booking = cancel_booking(booking_id=confirmed_booking().id, act=staff_act())
        before = AuditEntry.objects.count()
        with pytest.raises(TransitionNotAllowed):
            booking.confirm(act=staff_act(), code="A", payment_id=None)
        assert AuditEntry.objects.count() == before


def _run(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _declared() -> Iterator[tuple[type[Model], str, str, dict[str, Any]]]:
    """Return each declared transition: its model, from which state, its name, and what it needs besides its act."""
    needs: dict[tuple[str, str], dict[str, Any]] = {
        ("booking", "confirm"): {"code": "ABCDEFGH23", "payment_id": None},
        ("booking", "cancel"): {"refund_amount": Decimal("1.00")},
        ("ticket", "activate"): {"code": "ABCDEFGH", "valid_from": NOON, "valid_until": NOON + timedelta(days=1)},
        ("ticket", "redeem"): {"location": "door 1"},
    }
    for model in (Booking, Ticket, Refund):
        for transition in model._meta.get_field("status").get_all_transitions(model):
            yield (
                model,
                str(transition.source),
                transition.name,
                needs.get((str(model._meta.model_name), transition.name), {}),
            )


def _row(model: type[Model], status: str) -> Any:
    """Return a stored row in this state."""
    if model is Booking:
        return _brought(pending_booking(), status)
    ticket = confirmed_booking(seats=1).tickets.get()
    if model is Ticket:
        return _brought(ticket, status)
    return Refund.objects.create(
        ticket=ticket, amount=1, currency="EUR", requested_at=NOON, requested_by="ada", status=status
    )


def _brought(row: Any, status: str) -> Any:
    """Return the row, moved by declared moves that nobody records."""
    steps = {"pending": [], "redeemed": ["active", "redeemed"]}.get(status, [status])
    for step in steps:
        _run(f"UPDATE {row._meta.db_table} SET status = %s WHERE id = %s", step, row.pk)  # noqa: S608 - our own table
    return type(row).objects.get(pk=row.pk)

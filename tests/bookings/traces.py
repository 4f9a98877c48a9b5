"""What a request leaves behind, and a clock that stands where a test sets it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from bookings.models import Booking
from tests.bookings.published import names
from tickets_project.audit.models import AuditEntry

BUSINESS = ("bookings", "printing", "notifications")


def set_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """Let views read this time."""
    monkeypatch.setattr(timezone, "now", lambda: at)


def rows() -> dict[str, list[Any]]:
    """Return all rows of the business apps."""
    models = [model for app in BUSINESS for model in apps.get_app_config(app).get_models()]
    return {model._meta.label: sorted(model._default_manager.values_list(), key=repr) for model in models}


def entries(action: str) -> list[AuditEntry]:
    """Return the audit rows of an action, oldest first."""
    return list(AuditEntry.objects.filter(action=action).order_by("id"))


def entry(action: str) -> AuditEntry:
    """Return the one audit row of an action."""
    [only] = entries(action)
    return only


@contextmanager
def leaving_nothing() -> Iterator[None]:
    """Assert that nothing is stored meanwhile."""
    before = rows(), names(), AuditEntry.objects.count()
    yield
    assert (rows(), names(), AuditEntry.objects.count()) == before


@contextmanager
def leaving_a_refusal(request: str, action: str, booking: Booking, *, by: User, **details: Any) -> Iterator[None]:
    """Assert that a refused request leaves its event, an audit row with these details, and nothing else."""
    before, told, audited = rows(), names(), set(AuditEntry.objects.values_list("id", flat=True))
    yield
    assert rows() == before
    assert names() == [*told, request]
    [made] = AuditEntry.objects.exclude(id__in=audited)
    assert (made.action, made.subject_type, made.subject_id) == (action, "booking", str(booking.id))
    assert (made.old, made.new, made.actor, made.by) == ("", "", by, by.username)
    assert made.details == details


@contextmanager
def refusing_inserts(table: str) -> Iterator[None]:
    """Let the database break down at a new row of this table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;"
            f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse CASCADE")


def assert_refused(response: Any, status: int, code: str, **members: Any) -> None:
    """Assert that a signalled request was refused in a problem with its code."""
    problem = response.json()
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert (problem["code"], problem["success"], problem["error_type"]) == (code, False, code)
    assert problem.items() >= members.items()
    assert problem["detail"]

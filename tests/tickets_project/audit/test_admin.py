"""The audit trail in the admin: to be read, and found by what it is about."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import NOON, StaffFactory
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.audit.recording import record
from tickets_project.correlation import Trace, tracing

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/auditentry/"


def made(number: int = 1, **facts: Any) -> AuditEntry:
    actor = StaffFactory.create(username=f"ann{number}")
    act = Act(at=NOON, actor=actor, reason="ill", details={"refund_amount": "5.00", "nested": {"<b>": 1}})
    subject = ("booking", facts.pop("booking", str(uuid4())))
    with tracing(Trace(correlation_id=facts.pop("correlation_id", f"desk-{number}"))):
        return record("booking_cancelled", subject, act, old="confirmed", new="cancelled")


def found(client: Client, text: str) -> list[AuditEntry]:
    return list(client.get(LIST, {"q": text}).context["cl"].result_list)


class TestAuditEntryAdmin:
    def test_lists_the_newest_first(self, admin_client: Client) -> None:
        first, second = made(1), made(2)
        page = admin_client.get(LIST)
        assert list(page.context["cl"].result_list) == [second, first]
        text = page.content.decode()
        for told in (
            "2026-05-02 12:00:00",
            "booking_cancelled",
            first.subject_id,
            "confirmed",
            "cancelled",
            "ann1",
            "ill",
        ):
            assert told in text

    def test_shows_all_of_one(self, admin_client: Client) -> None:
        entry = made()
        text = admin_client.get(f"{LIST}{entry.pk}/change/").content.decode()
        for told in ("booking_cancelled", entry.subject_id, "ann1", "ill", "desk-1", "&quot;refund_amount&quot;"):
            assert told in text
        assert "<b>" not in text

    def test_finds_what_was_done_to_a_thing(self, admin_client: Client) -> None:
        entry, _other = made(1), made(2)
        assert found(admin_client, entry.subject_id) == [entry]
        assert found(admin_client, f" {entry.subject_id.upper()} ") == [entry]
        assert found(admin_client, str(uuid4())) == []

    def test_finds_what_a_request_did(self, admin_client: Client) -> None:
        request = str(uuid4())
        entry, uuid_entry = made(1), made(2, correlation_id=request)
        assert found(admin_client, "desk-1") == [entry]
        assert found(admin_client, request) == [uuid_entry]
        assert found(admin_client, "desk") == []

    def test_changes_nothing(self, admin_client: Client) -> None:
        entry = made()
        assert admin_client.get(f"{LIST}add/").status_code == 403
        assert admin_client.post(f"{LIST}{entry.pk}/change/", {"reason": "none"}).status_code == 403
        assert admin_client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        bulk = {"action": "delete_selected", "_selected_action": entry.pk, "post": "yes"}
        admin_client.post(LIST, bulk)
        assert AuditEntry.objects.get().reason == "ill"

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(9):
            made(number)
        with django_assert_max_num_queries(6):
            admin_client.get(LIST)

    @pytest.mark.parametrize(("role", "status"), [("ops", 200), ("box office", 200), ("finance", 200), ("door", 403)])
    def test_is_for_those_who_may_read_it(self, client: Client, role: str, status: int) -> None:
        client.force_login(StaffFactory.create(role=role))
        assert client.get(LIST).status_code == status

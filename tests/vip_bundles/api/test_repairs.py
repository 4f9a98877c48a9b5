"""Bundles over HTTP: what staff may do with one that does not go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.db.models.signals import pre_save
from rest_framework.test import APIClient

from tests.bookings.threads import at_once
from tests.factories import StaffFactory, UserFactory, made_bundle
from tests.tickets_project.api.clients import with_token
from tests.vip_bundles.stored import audited, hear, inbound_booked, leaving_nothing, sent, standing, state_of, stored
from tickets_project.outbox.models import Message
from vip_bundles.facts import State
from vip_bundles.models import VipBundle

REASON = {"reason": "nothing came"}
HOW = ["retry", "rollback"]


def path(bundle: VipBundle, how: str) -> str:
    return f"/api/v1/vip-bundles/{bundle.id}/{how}/"


def ask(client: APIClient, bundle: VipBundle, how: str, **headers: str) -> Any:
    return client.post(path(bundle, how), REASON, headers=headers)


@pytest.mark.django_db
class TestRetryBundleView:
    def test_asks_again_under_the_same_key(self, staff: APIClient) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        response = ask(staff, bundle, "retry")
        first, second = sent("BookFlight")
        assert (response.status_code, first) == (200, second)
        assert first["idempotency_key"] == f"{bundle.id}:inbound"

    def test_answers_the_bundle_as_staff_see_it(self, staff: APIClient, ann: User) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        answered = ask(staff, bundle, "retry").json()
        assert answered == staff.get(f"/api/v1/vip-bundles/{bundle.id}/").json()
        assert answered["state"] == "booking_inbound_flight"
        assert [entry["by"] for entry in answered["timeline"] if entry["what"] == "retry"] == [ann.username]

    def test_gives_another_deadline(self, staff: APIClient) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        VipBundle.objects.filter(id=bundle.id).update(stuck_at=bundle.deadline_at)
        answered = ask(staff, bundle, "retry").json()
        assert (answered["stuck"], answered["stuck_at"]) == (False, None)
        assert stored(bundle).deadline_at > bundle.deadline_at

    def test_is_audited_with_its_reason(self, staff: APIClient, ann: User) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        ask(staff, bundle, "retry")
        state = "booking_inbound_flight"
        assert audited(bundle)[-1] == ("bundle_step_retried", state, state, ann.username)

    def test_begins_one_that_nobody_has_begun(self, staff: APIClient) -> None:
        assert ask(staff, made_bundle(), "retry").json()["state"] == "booking_show"


@pytest.mark.django_db
class TestRollBackBundleView:
    def test_takes_back_what_is_booked(self, staff: APIClient) -> None:
        bundle = standing(State.BOOKING_RETURN_FLIGHT)
        answered = ask(staff, bundle, "rollback").json()
        assert (answered["state"], answered["failure_reason"], answered["waits_for"]) == (
            "failed",
            "nothing came",
            None,
        )
        assert len(sent("RefundTicket")) == 3
        assert sent("CancelFlightTickets") == [{"flight_ticket_id": ["i1", "i2"], "reference_id": str(bundle.id)}]
        assert sent("VipBundleFinalized_v1") == [{"vip_bundle_id": str(bundle.id), "success": False}]

    def test_takes_back_what_is_booked_later(self, staff: APIClient) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        ask(staff, bundle, "rollback")
        hear(inbound_booked(bundle))
        assert len(sent("CancelFlightTickets")) == 1

    def test_is_audited_with_who_did_it(self, staff: APIClient, ann: User) -> None:
        bundle = made_bundle()
        ask(staff, bundle, "rollback")
        assert audited(bundle)[-2:] == [
            ("bundle_rolled_back", "initialized", "rolling_back", ann.username),
            ("bundle_failed", "rolling_back", "failed", ann.username),
        ]


@pytest.mark.django_db
@pytest.mark.parametrize("how", HOW)
class TestRepairBundleView:
    @pytest.mark.parametrize("state", [State.FINALIZED, State.FAILED])
    def test_refuses_what_has_ended(self, staff: APIClient, how: str, state: State) -> None:
        bundle = standing(state)
        with leaving_nothing():
            response = ask(staff, bundle, how)
        problem = response.json()
        assert (response.status_code, problem["code"], problem["current_status"]) == (409, "bundle_ended", state)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "reason"),
            ({"reason": ""}, "reason"),
            ({"reason": "  "}, "reason"),
            ({"reason": None}, "reason"),
            ({"reason": 7}, "reason"),
            ({"reason": "x" * 501}, "reason"),
            ({"reason": "nothing\0came"}, "reason"),
            ({"reason": "nothing came", "state": "failed"}, "state"),
        ],
    )
    def test_needs_a_reason_and_nothing_else(
        self, staff: APIClient, how: str, body: dict[str, object], field: str
    ) -> None:
        bundle = made_bundle()
        with leaving_nothing():
            response = staff.post(path(bundle, how), body)
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])

    def test_knows_no_other_bundle(self, staff: APIClient, how: str) -> None:
        response = staff.post(f"/api/v1/vip-bundles/{uuid4()}/{how}/", REASON)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    def test_is_for_operations_alone(self, how: str) -> None:
        bundle = made_bundle(owner=UserFactory.create(is_superuser=True))
        others = [StaffFactory.create(role=role) for role in ("box office", "door", "finance", "")]
        with leaving_nothing():
            for user in (*others, UserFactory.create(), bundle.owner):
                assert ask(with_token(user), bundle, how).status_code == 403
        assert ask(with_token(StaffFactory.create(role="ops")), bundle, how).status_code == 200

    def test_is_not_for_strangers(self, nobody: APIClient, how: str) -> None:
        bundle = made_bundle()
        with leaving_nothing():
            assert ask(nobody, bundle, how).status_code == 401

    def test_happens_once_under_one_key(self, staff: APIClient, how: str) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        first = ask(staff, bundle, how, **{"Idempotency-Key": "k"})
        with leaving_nothing():
            second = ask(staff, bundle, how, **{"Idempotency-Key": "k"})
        assert (first.status_code, second.status_code, first.content) == (200, 200, second.content)

    def test_refuses_the_key_for_another_body(self, staff: APIClient, how: str) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        ask(staff, bundle, how, **{"Idempotency-Key": "k"})
        with leaving_nothing():
            response = staff.post(path(bundle, how), {"reason": "another"}, headers={"Idempotency-Key": "k"})
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")

    def test_passes_its_trace_on(self, staff: APIClient, how: str) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        before = set(Message.objects.values_list("id", flat=True))
        ask(staff, bundle, how, **{"Correlation-ID": "desk-3"})
        traces = Message.objects.exclude(id__in=before).values_list("headers__correlation_id", flat=True)
        assert set(traces) == {"desk-3"}

    def test_answers_both_slash_forms(self, staff: APIClient, how: str) -> None:
        assert staff.post(path(made_bundle(), how).rstrip("/"), REASON).status_code == 200

    def test_takes_no_get(self, staff: APIClient, how: str) -> None:
        bundle = made_bundle()
        with leaving_nothing():
            assert staff.get(path(bundle, how)).status_code == 405


@contextmanager
def locks_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
        yield


@contextmanager
def meeting_on_the_way() -> Iterator[None]:
    """Let nobody store that it is rolled back before two are about to."""
    both = Barrier(2)

    def wait(instance: VipBundle, **_signal: Any) -> None:
        if instance.state == State.ROLLING_BACK:
            both.wait(30)

    pre_save.connect(wait, sender=VipBundle)
    try:
        yield
    finally:
        pre_save.disconnect(wait, sender=VipBundle)


def statuses(bundle: VipBundle, *how: str) -> list[int]:
    """Ask for all of it at once, each by a member of staff of their own; return the answers' statuses."""

    def post(client: APIClient, each: str) -> int:
        return int(ask(client, bundle, each).status_code)

    tasks: list[Callable[[], int]] = [partial(post, with_token(StaffFactory.create()), each) for each in how]
    return sorted(int(str(status)) for status in at_once(tasks))


@pytest.mark.django_db(transaction=True)
class TestRepairBundleViewAtOnce:
    def test_leaves_it_to_the_database_with_the_lock_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next test would fail without the lock: the second is refused, but by a breakdown."""
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        with locks_off(monkeypatch), meeting_on_the_way():
            assert statuses(bundle, "rollback", "rollback") == [200, 500]

    def test_ends_it_once(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        assert statuses(bundle, *["rollback"] * 4) == [200, 409, 409, 409]
        assert (len(sent("RefundTicket")), len(sent("VipBundleFinalized_v1"))) == (3, 1)

    def test_retries_one_after_the_other(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        assert statuses(bundle, *["retry"] * 4) == [200] * 4
        commands = sent("BookFlight")
        assert len(commands) == 5
        assert {command["idempotency_key"] for command in commands} == {f"{bundle.id}:inbound"}

    def test_retries_before_it_ends_or_not_at_all(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        assert statuses(bundle, "retry", "rollback") in ([200, 200], [200, 409])
        assert state_of(bundle) == "failed"
        assert len(sent("VipBundleFinalized_v1")) == 1

"""The scan page, without JavaScript and with it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings.models import Scan, Ticket
from tests.bookings.tickets import active_ticket, now, pending_ticket, scanned
from tests.factories import StaffFactory, UserFactory
from tests.pages import logged_in, staff_with
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db
PAGE = "/admin/scan/"
BY_SCRIPT = {"X-Requested-With": "scan.js"}


@pytest.fixture
def ann(db: None) -> User:  # noqa: ARG001 - opens the database
    ann: User = StaffFactory.create(username="ann", role="door")
    return ann


@pytest.fixture
def door(ann: User) -> Client:
    """Return a client of somebody at the door, who may not undo."""
    return logged_in(ann)


@pytest.fixture
def supervisor(db: None) -> Client:  # noqa: ARG001 - opens the database
    """Return a client of somebody at the door who may."""
    return staff_with("redeem_ticket", "undo_scan")


def post(client: Client, ticket: Ticket | str, **said: Any) -> Any:
    code = ticket if isinstance(ticket, str) else ticket.redemption_code
    answer = client.post(PAGE, {"code": code, **said})
    assert answer.status_code == 200
    return answer


def headline(answer: Any) -> str:
    return str(answer.context["answer"].headline)


def reason(answer: Any) -> str:
    return str(answer.context["answer"].reason)


class TestScanPage:
    def test_keeps_the_focus_in_one_field_and_runs_no_inline_script(self, door: Client) -> None:
        answer = door.get(PAGE)
        page = answer.content.decode()
        assert page.count("autofocus") == 1
        assert 'aria-live="assertive"' in page
        assert 'src="/static/bookings/scan.js"' in page
        assert answer.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")

    def test_admits_an_active_ticket(self, door: Client, ann: User) -> None:
        ticket = active_ticket()
        answer = post(door, ticket, location="Gate B")
        assert (headline(answer), reason(answer)) == ("ADMIT", "Carmen")
        assert (now(ticket).status, now(ticket).redeemed_by, now(ticket).redeemed_location) == (
            "redeemed",
            ann,
            "Gate B",
        )
        assert AuditEntry.objects.get(action="ticket_redeemed").actor == ann
        assert Message.objects.filter(type="ticket.redemption_requested").count() == 1

    def test_stops_the_second_with_when_where_and_who(self, door: Client) -> None:
        ticket = active_ticket()
        post(door, ticket, location="Gate B")
        answer = post(door, ticket, location="Gate C")
        assert headline(answer) == "STOP"
        assert reason(answer) == f"Already used at {now(ticket).redeemed_at:%H:%M} at Gate B by ann."
        assert Scan.objects.count() == 2

    def test_stops_a_pending_ticket_and_an_unknown_code(self, door: Client) -> None:
        assert "Not activated yet" in reason(post(door, pending_ticket()))
        assert "<b>nonsense</b>" in reason(answer := post(door, "<b>nonsense</b>"))
        assert "<b>nonsense</b>" not in answer.content.decode()

    def test_answers_the_same_scan_alike(self, door: Client) -> None:
        ticket = active_ticket()
        answers = [post(door, ticket, nonce="one") for _ in range(3)]
        assert [headline(answer) for answer in answers] == ["ADMIT"] * 3
        assert Scan.objects.count() == 1

    def test_gives_each_page_a_nonce_of_its_own(self, door: Client) -> None:
        nonces = {door.get(PAGE).context["nonce"] for _ in range(3)} | {post(door, "x").context["nonce"]}
        assert len(nonces) == 4

    def test_takes_no_nonce_for_two_codes(self, door: Client) -> None:
        first, second = active_ticket(), active_ticket()
        post(door, first, nonce="one")
        answer = post(door, second, nonce="one")
        assert (headline(answer), now(second).status) == ("SCAN AGAIN", "active")
        assert "This nonce belongs to another scan" in reason(answer)

    @pytest.mark.parametrize("code", ["", "   ", "x" * 101, "a\0b"])
    def test_stores_nothing_that_cannot_be_read(self, door: Client, code: str) -> None:
        assert headline(post(door, code)) == "SCAN AGAIN"
        assert not Scan.objects.exists()

    def test_remembers_where_it_stands(self, door: Client) -> None:
        post(door, "x", location="Gate B")
        assert 'value="Gate B"' in door.get(PAGE).content.decode()
        post(door, "x", location="")
        assert "Gate B" not in door.get(PAGE).content.decode().replace('placeholder="Gate B"', "")

    def test_shows_the_ten_latest_scans_of_the_user_alone(self, door: Client) -> None:
        scanned(active_ticket())
        for number in range(11):
            post(door, f"code {number}")
        latest = door.get(PAGE).context["latest"]
        assert [line.code for line in latest] == [f"code {number}" for number in range(10, 0, -1)]

    def test_answers_the_script_with_the_answer_alone(self, door: Client) -> None:
        ticket = active_ticket()
        answer = door.post(PAGE, {"code": ticket.redemption_code}, headers=BY_SCRIPT)
        assert answer.content.decode().strip().startswith('<div id="scan-answer"')
        assert "<html" not in answer.content.decode()

    def test_asks_the_database_no_more_often_than_it_must(
        self, door: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            post(door, active_ticket())
        ticket = active_ticket()
        with django_assert_max_num_queries(30):
            door.post(PAGE, {"code": ticket.redemption_code}, headers=BY_SCRIPT)

    def test_takes_only_a_csrf_token_that_fits(self, ann: User) -> None:
        ticket, client = active_ticket(), Client(enforce_csrf_checks=True)
        client.force_login(ann)
        assert client.post(PAGE, {"code": ticket.redemption_code}).status_code == 403
        assert now(ticket).status == "active"

    def test_is_closed_to_staff_who_may_not_redeem(self) -> None:
        ticket, client = active_ticket(), staff_with("view_ticket", "undo_scan")
        assert client.get(PAGE).status_code == 403
        assert client.post(PAGE, {"code": ticket.redemption_code}).status_code == 403
        assert now(ticket).status == "active"

    def test_is_closed_to_customers_and_strangers(self) -> None:
        for client in (Client(), logged_in(UserFactory.create())):
            assert client.post(PAGE, {"code": "x"}).headers["Location"].startswith("/admin/login/")


class TestUndoAtTheDoor:
    def test_is_offered_for_the_scan_that_last_let_somebody_in(self, supervisor: Client) -> None:
        first, second = active_ticket(), active_ticket()
        post(supervisor, first)
        post(supervisor, second)
        answer = post(supervisor, second)
        assert answer.context["undoable"].ticket == second

    def test_is_not_offered_without_the_permission(self, door: Client) -> None:
        assert post(door, active_ticket()).context["undoable"] is None

    def test_is_not_offered_after_fifteen_minutes(self, supervisor: Client) -> None:
        post(supervisor, active_ticket())
        Scan.objects.update(scanned_at=timezone.now() - timedelta(minutes=16))
        assert supervisor.get(PAGE).context["undoable"] is None

    def test_makes_the_ticket_active_again(self, supervisor: Client) -> None:
        ticket = active_ticket()
        scan = post(supervisor, ticket).context["undoable"]
        answer = supervisor.post(f"{PAGE}{scan.pk}/undo/")
        assert (headline(answer), now(ticket).status) == ("UNDONE", "active")
        assert answer.context["undoable"] is None
        assert answer.context["latest"][0].word == "undone"
        assert AuditEntry.objects.get(action="ticket_redemption_undone").reason == "undone at the door"

    def test_tells_why_it_is_refused(self, supervisor: Client) -> None:
        post(supervisor, active_ticket())
        address = f"{PAGE}{Scan.objects.get().pk}/undo/"
        supervisor.post(address)
        answer = supervisor.post(address)
        assert (headline(answer), reason(answer)) == ("NOT UNDONE", "This scan is undone already.")

    def test_admits_nobody_by_sending_the_undone_scan_again(self, supervisor: Client) -> None:
        ticket = active_ticket()
        scan = post(supervisor, ticket, nonce="one").context["undoable"]
        supervisor.post(f"{PAGE}{scan.pk}/undo/")
        assert headline(post(supervisor, ticket, nonce="one")) == "UNDONE"

    def test_changes_nothing_by_a_get(self, supervisor: Client) -> None:
        ticket = active_ticket()
        scan = post(supervisor, ticket).context["undoable"]
        assert supervisor.get(f"{PAGE}{scan.pk}/undo/").headers["Location"] == PAGE
        assert now(ticket).status == "redeemed"

    def test_is_for_the_users_own_scans(self, supervisor: Client) -> None:
        others = scanned(ticket := active_ticket())
        assert supervisor.post(f"{PAGE}{others.pk}/undo/").status_code == 404
        assert supervisor.post(f"{PAGE}{uuid4()}/undo/").status_code == 404
        assert now(ticket).status == "redeemed"

    def test_is_closed_to_those_at_the_door(self, door: Client) -> None:
        post(door, ticket := active_ticket())
        assert door.post(f"{PAGE}{Scan.objects.get().pk}/undo/").status_code == 403
        assert now(ticket).status == "redeemed"

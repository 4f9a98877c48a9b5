"""One ticket, 25 scanners: one entry, and every scan stored."""

from collections.abc import Callable
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.errors import ScanAlreadyUndone, TicketNotPending
from bookings.models import Scan, Ticket
from bookings.services import activate_ticket, cancel_booking, scan, undo_scan
from tests.bookings.meeting import meeting_before_saving
from tests.bookings.published import payloads
from tests.bookings.threads import at_once
from tests.bookings.tickets import active_ticket, entries, now, pending_ticket, scanned
from tests.factories import StaffFactory, staff_act
from tests.tickets_project.api.clients import with_token
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.notifications.models import Notification
from tickets_project.refusals import DomainError

pytestmark = pytest.mark.django_db(transaction=True)

SCANNERS, REPEATS = 25, 10
REDEEM = "/api/v1/admin/tickets/redeem/"
UNKNOWN = "ABCDEFGHJKMNPQRS"


def enter(ticket: Ticket, person: User) -> str:
    """Return what somebody's scan comes to."""
    act = Act(at=timezone.now(), actor=person, as_staff=True)
    return scan(code=ticket.redemption_code, act=act, location="", nonce=None).outcome


def scanners() -> list[User]:
    return [StaffFactory.create(role="door") for _ in range(SCANNERS)]


def assert_one_entry(ticket: Ticket) -> None:
    assert now(ticket).status == "redeemed"
    assert sorted(Scan.objects.values_list("outcome", flat=True)) == sorted(
        ["redeemed"] + ["already_redeemed"] * (SCANNERS - 1)
    )
    assert Scan.objects.filter(ticket=ticket).count() == SCANNERS
    assert len(payloads("ticket.redeemed")) == 1
    assert Notification.objects.filter(template="ticket_redeemed").count() == 1
    assert [entry.action for entry in entries(ticket)].count("ticket_redeemed") == 1


class TestScan:
    def test_lets_all_in_with_the_lock_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next test would fail without the lock."""
        ticket, people = active_ticket(), scanners()
        monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
        with meeting_before_saving(Ticket, SCANNERS):
            outcomes = at_once([partial(enter, ticket, person) for person in people])
        assert outcomes == ["redeemed"] * SCANNERS
        assert len(payloads("ticket.redeemed")) == SCANNERS

    def test_lets_one_in(self) -> None:
        ticket, people = active_ticket(), scanners()
        outcomes = at_once([partial(enter, ticket, person) for person in people])
        assert outcomes.count("redeemed") == 1
        assert_one_entry(ticket)

    def test_does_not_wait_for_another_ticket(self) -> None:
        """The lock is the ticket's own: both are held at the same time."""
        tickets, people = [active_ticket(), active_ticket()], scanners()[:2]
        with meeting_before_saving(Ticket, 2):
            outcomes = at_once([partial(enter, *each) for each in zip(tickets, people, strict=True)])
        assert outcomes == ["redeemed"] * 2

    @pytest.mark.parametrize("known", [True, False])
    def test_stores_one_scan_of_a_nonce(self, ann: User, known: bool) -> None:  # noqa: FBT001 - a case
        code = active_ticket().redemption_code if known else UNKNOWN
        act = Act(at=timezone.now(), actor=ann, as_staff=True)
        answers = at_once([partial(scan, code=code, act=act, location="", nonce="n1")] * REPEATS)
        assert {answer.id for answer in answers if isinstance(answer, Scan)} == {Scan.objects.get().id}
        assert len(answers) == REPEATS
        assert len(payloads("ticket.redeemed")) == int(known)

    def test_takes_a_nonce_for_one_of_two_tickets(self, ann: User) -> None:
        act = Act(at=timezone.now(), actor=ann, as_staff=True)
        tickets = [active_ticket() for _ in range(REPEATS)]
        answers = at_once(
            [partial(scan, code=ticket.redemption_code, act=act, location="", nonce="n1") for ticket in tickets]
        )
        refusals = [answer.code for answer in answers if isinstance(answer, DomainError)]
        assert refusals == ["nonce_reused"] * (REPEATS - 1)
        assert [now(ticket).status for ticket in tickets].count("redeemed") == Scan.objects.count() == 1


class TestRedeemTicketView:
    def test_lets_one_in(self) -> None:
        ticket = active_ticket()
        clients = [with_token(person) for person in scanners()]

        def post(client: APIClient) -> tuple[int, str | None]:
            response = client.post(REDEEM, {"redemption_code": ticket.redemption_code})
            return response.status_code, response.json().get("code")

        answers = at_once([partial(post, client) for client in clients])
        assert answers.count((200, None)) == 1
        assert answers.count((409, "already_redeemed")) == SCANNERS - 1
        assert_one_entry(ticket)
        assert len(payloads("ticket.redemption_requested")) == SCANNERS

    @pytest.mark.parametrize("kind", ["active", "pending", "unknown"])
    def test_answers_a_nonce_that_comes_many_times_at_once_alike(self, ann: User, kind: str) -> None:
        made = {"active": active_ticket, "pending": pending_ticket}
        code = made[kind]().redemption_code if kind in made else UNKNOWN
        client = with_token(ann)
        audited = AuditEntry.objects.count()

        def post() -> tuple[int, bytes]:
            response = client.post(REDEEM, {"redemption_code": code, "nonce": "n1"})
            return response.status_code, response.content

        answers = at_once([post] * REPEATS)
        stored = post()
        assert answers == [stored] * REPEATS
        assert stored[0] == (200 if kind == "active" else 409)
        assert Scan.objects.count() == len(payloads("ticket.redemption_requested")) == 1
        assert AuditEntry.objects.count() == audited + 1


class TestActivateTicket:
    def test_activates_once(self) -> None:
        ticket = pending_ticket()
        acts = [staff_act() for _ in range(REPEATS)]
        answers = at_once([partial(activate_ticket, ticket_id=ticket.id, act=act, code=None) for act in acts])
        assert sum(isinstance(answer, TicketNotPending) for answer in answers) == REPEATS - 1
        assert len(payloads("ticket.activated")) == 1


class TestUndoScan:
    def test_undoes_once(self) -> None:
        ticket = active_ticket()
        entered = scanned(ticket)
        acts = [staff_act() for _ in range(REPEATS)]
        answers = at_once([partial(undo_scan, scan_id=entered.id, act=act) for act in acts])
        assert sum(isinstance(answer, ScanAlreadyUndone) for answer in answers) == REPEATS - 1
        assert [entry.action for entry in entries(ticket)].count("ticket_redemption_undone") == 1

    def test_leaves_no_ticket_of_a_cancelled_booking_active(self) -> None:
        for _ in range(5):
            ticket = active_ticket()
            entered, act = scanned(ticket), staff_act()
            assert ticket.booking_id is not None
            undo: Callable[[], object] = partial(undo_scan, scan_id=entered.id, act=act)
            cancel: Callable[[], object] = partial(cancel_booking, booking_id=ticket.booking_id, act=act)
            answers = at_once([undo, cancel])
            status = now(ticket).status
            assert status in {"redeemed", "cancelled"}
            assert isinstance(answers[0], DomainError) is (status == "redeemed")

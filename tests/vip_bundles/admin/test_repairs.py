"""What staff ask of bundles in the admin."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.factories import made_bundle
from tests.pages import page, said_after, staff_with
from tests.vip_bundles.admin.looking import LIST, page_of
from tests.vip_bundles.stored import leaving_nothing, sent, standing, stored
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from vip_bundles.facts import State
from vip_bundles.models import BundleMove, VipBundle
from vip_bundles.services import flag_stuck

pytestmark = pytest.mark.django_db
REPAIRS = ["retry", "roll_back"]
ENDED = "The bundle has ended"
each_repair = pytest.mark.parametrize("repair", REPAIRS)


def address(bundle: VipBundle, repair: str) -> str:
    return f"{LIST}{bundle.pk}/{repair}/"


def stuck(state: State = State.BOOKING_INBOUND_FLIGHT) -> VipBundle:
    bundle = standing(state, at=timezone.now() - timedelta(hours=2))
    flag_stuck(vip_bundle_id=bundle.id, act=Act(at=timezone.now()))
    return stored(bundle)


def tells(client: Client, bundle: VipBundle, repair: str) -> list[str]:
    return list(client.get(address(bundle, repair)).context["question"].tells)


class TestButtons:
    @pytest.mark.parametrize("state", [state for state in State if state is not State.ROLLING_BACK])
    def test_are_for_a_bundle_that_has_not_ended(self, admin_client: Client, state: State) -> None:
        bundle = standing(state)
        shown = page(admin_client, page_of(bundle))
        offered = [repair for repair in REPAIRS if address(bundle, repair) in shown]
        assert offered == ([] if bundle.has_ended else REPAIRS)

    def test_are_not_for_staff_who_may_only_look(self) -> None:
        bundle = stuck()
        shown = page(staff_with("view_vipbundle"), page_of(bundle))
        assert not [repair for repair in REPAIRS if address(bundle, repair) in shown]

    def test_are_for_staff_who_may_repair(self) -> None:
        bundle = stuck()
        shown = page(staff_with("view_vipbundle", "repair_vipbundle"), page_of(bundle))
        assert [repair for repair in REPAIRS if address(bundle, repair) in shown] == REPAIRS


class TestRetry:
    @pytest.mark.parametrize(
        ("state", "waits_for", "command"),
        [
            (State.INITIALIZED, "its beginning", "BookShowTickets"),
            (State.BOOKING_SHOW, "seats of the show", "BookShowTickets"),
            (State.BOOKING_INBOUND_FLIGHT, "the inbound flight", "BookFlight"),
            (State.BOOKING_RETURN_FLIGHT, "the return flight", "BookFlight"),
            (State.BOOKING_TAXI, "the taxi", "BookTaxi"),
        ],
    )
    def test_says_first_what_it_sends(self, admin_client: Client, state: State, waits_for: str, command: str) -> None:
        bundle = standing(state)
        with leaving_nothing():
            assert tells(admin_client, bundle, "retry") == [
                f"Carmen for 3, for {bundle.customer_email}, waits for {waits_for}.",
                f"{command} is sent once more under its own key: what is booked already is not booked twice.",
                "It gets another 15 minutes before it is stuck again.",
            ]

    def test_asks_again_with_a_reason_and_another_deadline(self, admin_client: Client, admin_user: User) -> None:
        bundle = stuck()
        told = said_after(admin_client, address(bundle, "retry"), reason="the service is back")
        assert "Asked for again." in told
        assert [message["idempotency_key"] for message in sent("BookFlight")] == [f"{bundle.id}:inbound"] * 2
        bundle = stored(bundle)
        assert (bundle.stuck_at, bundle.deadline_at > timezone.now()) == (None, True)
        entry = AuditEntry.objects.get(action="bundle_step_retried")
        assert (entry.actor, entry.reason) == (admin_user, "the service is back")


class TestRollBack:
    @pytest.mark.parametrize(
        ("state", "taken_back"),
        [
            (
                State.BOOKING_SHOW,
                ["Nothing of it is known to be booked, so there is nothing to refund or to cancel now."],
            ),
            (State.BOOKING_INBOUND_FLIGHT, ["Tickets that are refunded: 3."]),
            (
                State.BOOKING_TAXI,
                ["Tickets that are refunded: 3.", "Flights that are cancelled: 2, with 4 flight tickets."],
            ),
        ],
    )
    def test_says_first_what_it_takes_back(self, admin_client: Client, state: State, taken_back: list[str]) -> None:
        bundle = standing(state)
        with leaving_nothing():
            first, *middle, late, mail = tells(admin_client, bundle, "roll_back")
        assert first.endswith("It ends as failed, and that is final.")
        assert middle == taken_back
        assert late == "What turns out to be confirmed or booked after that is taken back when it is known."
        assert mail == "The customer is told by mail, with your reason."
        assert "the customer reads it in the mail" in page(admin_client, address(bundle, "roll_back"))

    def test_takes_back_what_it_said(self, admin_client: Client, admin_user: User) -> None:
        bundle = standing(State.BOOKING_TAXI)
        told = said_after(admin_client, address(bundle, "roll_back"), reason="the customer is ill")
        assert "Rolled back: what was booked is being taken back, and the customer is told." in told
        assert (len(sent("RefundTicket")), len(sent("CancelFlightTickets"))) == (3, 2)
        bundle = stored(bundle)
        assert (bundle.state, bundle.failure_reason) == ("failed", "the customer is ill")
        assert set(BundleMove.objects.filter(message_id=None).values_list("by", flat=True)) == {admin_user.username}
        assert AuditEntry.objects.get(action="bundle_rolled_back").reason == "the customer is ill"


class TestEveryRepair:
    @each_repair
    @pytest.mark.parametrize(
        ("reason", "refusal"), [("", "This field is required."), (" ", "required"), ("x" * 501, "at most 500")]
    )
    def test_needs_a_reason(self, admin_client: Client, repair: str, reason: str, refusal: str) -> None:
        bundle = stuck()
        with leaving_nothing():
            assert refusal in said_after(admin_client, address(bundle, repair), reason=reason)

    @each_repair
    def test_does_nothing_by_a_get(self, admin_client: Client, repair: str) -> None:
        bundle = stuck()
        with leaving_nothing():
            assert admin_client.get(address(bundle, repair), {"reason": "ill"}).status_code == 200

    @each_repair
    @pytest.mark.parametrize("state", [State.FINALIZED, State.FAILED])
    def test_shows_why_it_is_refused(self, admin_client: Client, repair: str, state: State) -> None:
        bundle = standing(state)
        with leaving_nothing():
            assert ENDED in admin_client.get(address(bundle, repair), follow=True).content.decode()
            assert ENDED in said_after(admin_client, address(bundle, repair), reason="ill")

    @each_repair
    def test_is_closed_to_staff_who_may_only_look(self, repair: str) -> None:
        bundle = stuck()
        for codenames in (["view_vipbundle"], ["repair_vipbundle"]):
            client = staff_with(*codenames)
            with leaving_nothing():
                assert client.get(address(bundle, repair)).status_code == 403
                assert client.post(address(bundle, repair), {"reason": "ill"}).status_code == 403

    @each_repair
    def test_is_about_a_bundle_that_exists(self, admin_client: Client, repair: str) -> None:
        assert admin_client.post(f"{LIST}{uuid4()}/{repair}/", {"reason": "ill"}).status_code == 404

    @each_repair
    def test_takes_only_a_csrf_token_that_fits(self, admin_user: User, repair: str) -> None:
        bundle, client = stuck(), Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        with leaving_nothing():
            assert client.post(address(bundle, repair), {"reason": "ill"}).status_code == 403


class TestRetrySelected:
    @staticmethod
    def choose(client: Client, *bundles: VipBundle, query: str = "", **said: str) -> str:
        choice = {"action": "retry_selected", ACTION_CHECKBOX_NAME: [bundle.pk for bundle in bundles], **said}
        return client.post(f"{LIST}{query}", choice, follow=True).content.decode()

    def test_asks_first_and_names_them(self, admin_client: Client) -> None:
        one, other = stuck(), stuck()
        with leaving_nothing():
            asked = self.choose(admin_client, one, other)
        assert "Retry the steps of bundles: 2 selected" in asked
        assert f"Carmen for 3, {one.customer_email}" in asked
        assert f"Carmen for 3, {other.customer_email}" in asked
        assert 'name="reason"' in asked

    def test_is_not_confirmed_by_a_reason_alone(self, admin_client: Client) -> None:
        bundle = stuck()
        with leaving_nothing():
            assert "1 selected" in self.choose(admin_client, bundle, reason="the service is back")

    def test_needs_a_reason(self, admin_client: Client) -> None:
        bundle = stuck()
        with leaving_nothing():
            told = self.choose(admin_client, bundle, post="yes", reason=" ")
        assert "Give a reason." in told
        assert "Retry the steps of bundles: 1 selected" in told

    def test_retries_each_by_itself_and_says_which_not(self, admin_client: Client, admin_user: User) -> None:
        first, ended, last = stuck(), standing(State.FINALIZED), stuck(State.BOOKING_TAXI)
        told = self.choose(admin_client, first, ended, last, post="yes", reason="the service is back")
        assert "2 retried." in told
        assert f"1 not retried: {ENDED}" in told
        assert [stored(bundle).stuck_at for bundle in (first, last)] == [None, None]
        entries = AuditEntry.objects.filter(action="bundle_step_retried")
        assert {(entry.subject_id, entry.actor, entry.reason) for entry in entries} == {
            (str(bundle.id), admin_user, "the service is back") for bundle in (first, last)
        }

    def test_says_only_why_not_when_none_is_retried(self, admin_client: Client) -> None:
        told = self.choose(admin_client, standing(State.FAILED), post="yes", reason="the service is back")
        assert f"1 not retried: {ENDED}" in told
        assert "0 retried." not in told

    def test_takes_all_that_the_filter_holds_and_no_other(self, admin_client: Client) -> None:
        late = [stuck() for _ in range(3)]
        in_time = standing(State.BOOKING_INBOUND_FLIGHT)
        asked = self.choose(admin_client, late[0], query="?stuck=yes", select_across="1")
        assert "Retry the steps of bundles: 3 selected" in asked
        said = {"select_across": "1", "post": "yes", "reason": "back"}
        assert "3 retried." in self.choose(admin_client, late[0], query="?stuck=yes", **said)
        assert not VipBundle.objects.exclude(stuck_at=None).exists()
        assert not BundleMove.objects.filter(bundle=in_time, message_type="retry").exists()

    def test_is_not_offered_to_staff_who_may_only_look(self) -> None:
        bundle, client = stuck(), staff_with("view_vipbundle")
        assert "retry_selected" not in page(client, LIST)
        with leaving_nothing():
            self.choose(client, bundle, post="yes", reason="back")

    def test_is_offered_to_staff_who_may_repair(self) -> None:
        made_bundle()
        assert "retry_selected" in page(staff_with("view_vipbundle", "repair_vipbundle"), LIST)

"""What all pages of the admin have in common."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import URLPattern
from django.urls.resolvers import RoutePattern
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage
from knox.models import AuthToken
from pytest_django import DjangoAssertNumQueries

from bookings.models import OpsBooking, Receipt, Ticket, TrackerRow
from bookings.services import request_refund
from printing.models import PrintedTicket
from tests.bookings.rooms import room
from tests.bookings.tickets import ticket_that_is
from tests.factories import (
    DeliveryFactory,
    MessageFactory,
    StaffFactory,
    UserFactory,
    confirmed_booking,
    made_bundle,
    staff_act,
)
from tickets_project.admin_site import counting
from tickets_project.admin_site.counting import EstimatedPaginator
from tickets_project.admin_site.display import age, last_line
from tickets_project.admin_site.navigation import may_view
from tickets_project.analytics.models import DailyTotal
from tickets_project.outbox.models import Dispatcher, Intervention, Message
from tickets_project.roles.roles import ROLES

pytestmark = pytest.mark.django_db
TOKENS = "/admin/knox/authtoken/"


@pytest.fixture
def one_of_each() -> dict[str, Any]:
    """Return a key of every model that the admin shows, by the model's label."""
    booking, scanned = confirmed_booking(), ticket_that_is("redeemed")
    _what_handlers_store(scanned)
    request_refund(ticket_id=scanned.id, act=staff_act())
    room()
    made_bundle()
    delivery = DeliveryFactory.create(status="parked", last_error="ValueError: no")
    Intervention.objects.create(delivery=delivery, action="retried", by="ada", previous_status="parked")
    Dispatcher.objects.create(id=delivery.message_id, cluster="tickets", host="here", pid=1)
    Schedule.objects.get_or_create(func="math.sqrt")
    AuthToken.objects.create(user=booking.owner)
    for number, success in enumerate((True, False)):
        times = {"started": timezone.now(), "stopped": timezone.now()}
        Task.objects.create(id=str(number), name="task", func="math.sqrt", result="oops", success=success, **times)
    OrmQ.objects.create(key="tickets", payload=SignedPackage.dumps({"id": "1", "name": "task", "func": "math.sqrt"}))
    models = admin.site._registry
    return {model._meta.label_lower: model._default_manager.values_list("pk", flat=True)[0] for model in models}


def _what_handlers_store(ticket: Ticket) -> None:
    at = timezone.now()
    PrintedTicket.objects.create(ticket_id=ticket.id, file_name="a.html", printed_at=at)
    Receipt.objects.create(ticket=ticket, number="R-1", asked_at=at, issued_at=at)
    TrackerRow.objects.create(ticket_id=ticket.id, sheet="tickets-to-print", asked_at=at)
    OpsBooking.objects.create(booking_id=ticket.id, booked_at=at, number_of_tickets=1)
    DailyTotal.objects.create(day=at.date(), kind="booked", count=1, amount=0)


def addresses(keys: dict[str, Any]) -> Iterator[str]:
    """Yield every address under /admin/: those of the site, and those of each model with one of its keys."""
    yield from ("/admin/", "/admin/bookings/", "/admin/nowhere", "/admin/r/1/1/", "/admin/search/?s=show&extended=1")
    yield from ("/admin/scan/", f"/admin/scan/{keys['bookings.scan']}/undo/")
    for url in admin.site.get_urls():
        if isinstance(url, URLPattern) and url.name and isinstance(url.pattern, RoutePattern) and "<" not in str(url):
            yield f"/admin/{url.pattern}"
    for model, model_admin in admin.site._registry.items():
        for url in model_admin.get_urls():
            route = re.sub("<[^>]+>", quote(str(keys[model._meta.label_lower])), str(url.pattern))
            yield f"/admin/{model._meta.label_lower.replace('.', '/')}/{route}"


def chosen_by_query(keys: dict[str, Any]) -> Iterator[str]:
    """Yield each list with a search, each choice of each filter, and its bulk actions."""
    for model, model_admin in admin.site._registry.items():
        here = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
        key = keys[model._meta.label_lower]
        for query in ("q=1", f"q={key}", "q=a@b.example", "all=", "o=1", "p=2", "_facets=True", "id__exact=wrong"):
            yield f"{here}?{query}"
        yield f"{here}?no_such_filter=1"
        for name in filters_of(model_admin):
            for value in ("pending", "event", "yes", "no", "none", "show", "1", "printing.print_ticket", "wrong"):
                yield f"{here}?{name}={value}"
        for action in model_admin.actions or ():
            yield f"{here}?action={action}&post=yes&reason=no&{ACTION_CHECKBOX_NAME}={key}"


def filters_of(model_admin: Any) -> Iterator[str]:
    """Yield what its filters are called in a query."""
    for found in model_admin.list_filter:
        match found:
            case str(field) | (str(field), _):
                yield f"{field}__exact"
            case _:
                yield found.parameter_name


def everything() -> dict[str, str]:
    """Return a digest of each table's rows."""
    digests = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {name} AS row")  # noqa: S608
            digests[table] = str(cursor.fetchone())
    return digests


def staff_with(*permissions: str) -> Client:
    """Return a client of a member of staff who has these permissions alone."""
    staff = StaffFactory.create(role="")
    for permission in permissions:
        app, _, codename = permission.partition(".")
        staff.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(staff)
    return client


class TestEveryAddress:
    def test_changes_nothing_by_a_get_and_never_fails(self, admin_client: Client, one_of_each: dict[str, Any]) -> None:
        admin_client.raise_request_exception = False
        admin_client.get("/admin/")
        before = everything()
        answers = {
            address: admin_client.get(address).status_code
            for address in [*addresses(one_of_each), *chosen_by_query(one_of_each)]
            if "logout" not in address
        }
        assert {address: status for address, status in answers.items() if status >= 500} == {}
        assert len([status for status in answers.values() if status == 200]) > 400
        assert everything() == before

    def test_is_closed_to_strangers(self, client: Client, one_of_each: dict[str, Any]) -> None:
        for address in addresses(one_of_each):
            if not any(open_one in address for open_one in ("login", "logout", "jsi18n")):
                assert client.get(address).headers.get("Location", "").startswith("/admin/login/"), address

    def test_is_closed_to_staff_without_permission(self, one_of_each: dict[str, Any]) -> None:
        client = staff_with()
        for model, model_admin in admin.site._registry.items():
            here = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
            for url in model_admin.get_urls():
                route = re.sub("<[^>]+>", quote(str(one_of_each[model._meta.label_lower])), str(url.pattern))
                assert client.get(here + route, follow=True).status_code in (403, 405), here + route


class TestEveryRole:
    @pytest.mark.parametrize("role", ROLES)
    def test_opens_each_list_and_page_that_it_may_see_and_no_other(
        self, one_of_each: dict[str, Any], role: str
    ) -> None:
        staff = StaffFactory.create(role=role)
        client = Client()
        client.force_login(staff)
        for model in admin.site._registry:
            app, name = model._meta.app_label, model._meta.model_name
            sees = staff.has_perm(f"{app}.view_{name}") or staff.has_perm(f"{app}.change_{name}")
            here, key = f"/admin/{app}/{name}/", quote(str(one_of_each[model._meta.label_lower]))
            # A token has no page of its own.
            pages = [here] if model is AuthToken else [here, f"{here}{key}/change/"]
            for page in pages:
                assert client.get(page).status_code == (200 if sees else 403), page

    @pytest.mark.parametrize("role", [role for role in ROLES if role != "door"])
    def test_has_a_first_page(self, role: str) -> None:
        client = Client()
        client.force_login(StaffFactory.create(role=role))
        page = client.get("/admin/")
        assert page.status_code == 200
        assert "All is well: nothing needs a person." in page.content.decode()

    @pytest.mark.parametrize(("role", "scans"), [("ops", True), ("door", True), ("box office", False)])
    def test_is_offered_the_scan_page_when_it_may_redeem(self, role: str, scans: bool) -> None:  # noqa: FBT001
        client = Client()
        client.force_login(StaffFactory.create(role=role))
        page = client.get("/admin/", follow=True).content.decode()
        assert ('href="/admin/scan/"' in page) is scans


class TestEveryList:
    @pytest.mark.parametrize(
        ("address", "queries"),
        [
            ("/admin/bookings/show/", 6),
            ("/admin/bookings/booking/", 6),
            ("/admin/bookings/ticket/", 7),
            ("/admin/bookings/resource/", 6),
            ("/admin/bookings/scan/", 6),
            ("/admin/vip_bundles/vipbundle/", 7),
            ("/admin/outbox/message/", 6),
            ("/admin/outbox/delivery/", 6),
            ("/admin/knox/authtoken/", 6),
            ("/admin/auth/user/", 6),
        ],
    )
    def test_asks_as_often_for_many_rows_as_for_few(
        self,
        admin_client: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
        address: str,
        queries: int,
    ) -> None:
        for _ in range(8):
            booking = confirmed_booking()
            AuthToken.objects.create(user=booking.owner)
            room()
            made_bundle()
            ticket_that_is("redeemed")
        with django_assert_max_num_queries(queries) as captured:
            assert admin_client.get(address).status_code == 200
        assert not [query for query in captured.captured_queries if "DISTINCT" in query["sql"]]

    def test_shows_25_rows_a_page(self, admin_client: Client) -> None:
        MessageFactory.create_batch(26)
        assert len(admin_client.get("/admin/outbox/message/").context["cl"].result_list) == 25

    def test_offers_no_deletion_in_bulk(self, rf: RequestFactory, admin_user: User) -> None:
        request = rf.get("/")
        request.user = admin_user
        actions = {name for model_admin in admin.site._registry.values() for name in model_admin.get_actions(request)}
        assert actions == {"retry_selected", "discard_selected", "revoke", "resend_selected"}


class TestEstimatedPaginator:
    @pytest.fixture(autouse=True)
    def _low(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(counting, "MOST_COUNTED", 3)

    def test_counts_a_small_table(self) -> None:
        MessageFactory.create_batch(3)
        assert str(EstimatedPaginator(Message.objects.order_by("sequence"), 25).count) == "3"

    def test_estimates_a_large_table(self) -> None:
        MessageFactory.create_batch(5)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE outbox_message")
        paginator = EstimatedPaginator(Message.objects.order_by("sequence"), 2)
        assert (str(paginator.count), paginator.num_pages) == ("about 5", 3)

    def test_stops_counting_a_filtered_list(self) -> None:
        MessageFactory.create_batch(5)
        paginator = EstimatedPaginator(Message.objects.filter(kind="event").order_by("sequence"), 1)
        assert (str(paginator.count), paginator.num_pages) == ("more than 3", 3)

    def test_tells_the_list_so(self, admin_client: Client) -> None:
        MessageFactory.create_batch(5)
        assert "more than 3" in admin_client.get("/admin/outbox/message/?kind=event").content.decode()


class TestAuthTokenAdmin:
    def test_shows_no_digest_and_no_whole_key(self, admin_client: Client) -> None:
        token, secret = AuthToken.objects.create(user=UserFactory.create())
        page = admin_client.get(TOKENS).content.decode()
        assert f"{token.token_key[:8]}…" in page
        assert token.digest not in page
        assert secret not in page

    def test_has_no_page_that_makes_or_shows_one(self, admin_client: Client) -> None:
        token, _ = AuthToken.objects.create(user=UserFactory.create())
        assert admin_client.get(f"{TOKENS}add/").status_code == 404
        assert admin_client.get(f"{TOKENS}{token.digest}/change/").status_code == 404

    def test_revokes_the_chosen_ones_once_confirmed(self, admin_client: Client) -> None:
        token, _ = AuthToken.objects.create(user=UserFactory.create())
        other, _ = AuthToken.objects.create(user=UserFactory.create())
        choice = {"action": "revoke", ACTION_CHECKBOX_NAME: token.token_key}
        page = admin_client.post(TOKENS, choice).content.decode()
        assert token.digest not in page
        assert AuthToken.objects.count() == 2
        admin_client.post(TOKENS, choice | {"post": "yes"})
        assert list(AuthToken.objects.all()) == [other]

    def test_tells_who_may_only_look(self) -> None:
        token, _ = AuthToken.objects.create(user=UserFactory.create())
        choice = {"action": "revoke", ACTION_CHECKBOX_NAME: token.token_key, "post": "yes"}
        staff_with("knox.view_authtoken").post(TOKENS, choice)
        assert AuthToken.objects.exists()

    def test_shows_an_expired_one_as_expired(self, admin_client: Client) -> None:
        token, _ = AuthToken.objects.create(user=UserFactory.create())
        AuthToken.objects.filter(pk=token.pk).update(expiry=timezone.now())
        assert "expired" in admin_client.get(TOKENS).content.decode()

    def test_finds_the_tokens_of_a_user(self, admin_client: Client) -> None:
        token, _ = AuthToken.objects.create(user=UserFactory.create(username="ada"))
        AuthToken.objects.create(user=UserFactory.create())
        assert list(admin_client.get(f"{TOKENS}?q=ada").context["cl"].result_list) == [token]


class TestUserAdmin:
    def test_makes_a_user_but_deletes_none(self, admin_client: Client) -> None:
        said = {"username": "ada", "usable_password": "true", "password1": "d1fference", "password2": "d1fference"}
        admin_client.post("/admin/auth/user/add/", said)
        ada = User.objects.get(username="ada")
        assert admin_client.post(f"/admin/auth/user/{ada.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_finds_by_the_beginning_of_the_name(self, admin_client: Client) -> None:
        ada = UserFactory.create(username="ada.lovelace")
        assert list(admin_client.get("/admin/auth/user/?q=ada").context["cl"].result_list) == [ada]


class TestGroupAdmin:
    def test_finds_by_the_beginning_of_the_name(self, admin_client: Client) -> None:
        group = Group.objects.get(name="box office")
        assert list(admin_client.get("/admin/auth/group/?q=Box").context["cl"].result_list) == [group]


class TestScheduleAdmin:
    def test_changes_when_but_not_what(self, admin_client: Client) -> None:
        schedule = Schedule.objects.create(func="math.sqrt")
        said = {"func": "os.abort", "schedule_type": "I", "minutes": 5, "repeats": -1}
        said |= {"next_run_0": "2026-05-02", "next_run_1": "12:00:00"}
        admin_client.post(f"/admin/django_q/schedule/{schedule.pk}/change/", said)
        schedule.refresh_from_db()
        assert (schedule.minutes, schedule.func) == (5, "math.sqrt")


class TestMayView:
    @pytest.mark.parametrize(("permission", "sees"), [("view_show", True), ("change_show", True), ("add_show", False)])
    def test_goes_by_the_permissions(self, rf: RequestFactory, permission: str, sees: bool) -> None:  # noqa: FBT001
        request = rf.get("/")
        request.user = staff = StaffFactory.create(role="")
        staff.user_permissions.add(Permission.objects.get(codename=permission))
        assert may_view(request, model="bookings_show") is sees

    def test_keeps_links_that_lead_nowhere_off_the_sidebar(self) -> None:
        page = staff_with("bookings.view_show").get("/admin/bookings/show/").content.decode()
        assert 'href="/admin/bookings/show/"' in page
        assert 'href="/admin/outbox/delivery/"' not in page
        assert 'href="/admin/scan/"' not in page


class TestLastLine:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", ""),
            ("Traceback …\n  File x\nValueError: no\n", "ValueError: no"),
            ("package.errors.Upstream: 503", "Upstream: 503"),
            ("There is no ticket 1 yet.", "There is no ticket 1 yet."),
            ("x" * 200, "x" * 160 + "…"),
        ],
    )
    def test_names_the_error(self, text: str, line: str) -> None:
        assert last_line(text) == line


class TestAge:
    def test_is_the_largest_unit(self) -> None:
        now = timezone.now()
        assert age(now, now) == "now"
        assert age(now - timedelta(hours=3, minutes=5), now) == "3\xa0hours"

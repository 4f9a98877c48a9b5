"""The list of bundles, and the page of each: where it stands first, then everything that is known of it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import truncatechars
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from tickets_project.admin_site.display import Badges, Section, age, column, link, moment_column, unbroken
from tickets_project.admin_site.filters import choice_filter
from tickets_project.admin_site.pages import NOTHING, uuid_in
from tickets_project.audit.history import history_of
from tickets_project.notifications.admin import notification_section
from tickets_project.outbox.admin.explaining import deliveries_about, delivery_section, messages_about
from vip_bundles.admin.answers import answers
from vip_bundles.admin.drawing import draw
from vip_bundles.admin.happenings import happenings
from vip_bundles.admin.repairs import VipBundleRepairs
from vip_bundles.admin.stories import Story, story_of
from vip_bundles.admin.tables import refund_sections, ticket_section, transport_section
from vip_bundles.admin.waiting import STATES, STUCK, summary
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.queries import ended_without_tickets, lacks_tickets

LONGEST_NAME = 40
TICKETS = Badges({"missing": "danger"})

StuckFilter = choice_filter(
    "stuck", lambda: [("yes", "yes"), ("no", "no")], lambda answer: Q(stuck_at__isnull=answer != "yes")
)

TicketsFilter = choice_filter(
    "tickets",
    lambda: [("missing", "missing at the end, this week")],
    lambda _: Q(pk__in=ended_without_tickets(at=timezone.now()).values("pk")),
)


def _state(row: VipBundle) -> SafeString:
    return format_html("<span>{} {}</span>", STATES.show(row.state), STUCK.show("stuck") if row.stuck_at else "")


def _waits_for(row: VipBundle) -> SafeString:
    """Tell what it waits for and why; the bundle comes from BundleChangeList."""
    return summary(row, row.deliveries)  # type: ignore[attr-defined] # for this page


def _printed(row: VipBundle) -> SafeString:
    """Tell how many of its tickets are printed; one that ended well without all of its tickets needs a person."""
    printed = unbroken(f"{sum(1 for ticket in row.tickets.all() if ticket.printed_at)} of {row.number_of_tickets}")
    if row.state == State.FINALIZED and lacks_tickets(row):
        return format_html("<span>{} {}</span>", printed, TICKETS.show("missing"))
    return printed


def _booking(row: VipBundle) -> SafeString | str:
    """Lead to the booking once there is one."""
    known = row.booking_made_at or row.tickets.all()
    return link("bookings_booking_change", row.booking_id, row.booking_id) if known else f"{row.booking_id} (not made)"


LATER = {
    "stuck_at": moment_column("stuck_at", "stuck since"),
    "finalized_at": moment_column("finalized_at", "ended"),
}


class BundleChangeList(ChangeList):
    """A page of bundles, which asks once for the tickets of all, and once for what they wait for."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the page's bundles with their tickets and open deliveries."""
        super().get_results(request)
        self.result_list: list[VipBundle] = list(self.result_list)
        prefetch_related_objects(self.result_list, "tickets")
        about = {row.pk: _about(row) for row in self.result_list}
        found = deliveries_about([each for ids in about.values() for each in ids])
        for row in self.result_list:
            row.deliveries = [delivery for each in about[row.pk] for delivery in found[each]]  # type: ignore[attr-defined] # for this page


def _about(row: VipBundle) -> list[str]:
    return [str(row.pk), str(row.booking_id), *(str(ticket.ticket_id) for ticket in row.tickets.all())]


@admin.register(VipBundle)
class VipBundleAdmin(VipBundleRepairs):
    """A show, flights and perhaps a taxi for a customer, newest first."""

    list_display = [
        column("bundle", lambda row: unbroken(truncatechars(str(row), LONGEST_NAME))),
        "customer_email",
        column("state", _state),
        column("age", lambda row: unbroken(age(row.created_at, timezone.now()))),
        column("waits for", _waits_for),
        column("tickets printed", _printed),
    ]
    list_filter = [("state", ChoicesDropdownFilter), StuckFilter, TicketsFilter]
    list_select_related = False
    search_fields = ["id", "booking_id", "customer_email"]
    search_help_text = "E-mail address, or id of a bundle or booking"
    ordering = ["-created_at", "-id"]
    change_form_outer_before_template = "vip_bundles/standing.html"
    fields = [
        "id",
        column("show", lambda row: link("bookings_show_change", row.show_title, row.show_id)),
        column("booking", _booking),
        "customer_email",
        "owner",
        column("passengers", lambda row: ", ".join(row.passengers)),
        moment_column("created_at"),
        moment_column("deadline_at", "deadline"),
        *LATER.values(),
    ]
    later = LATER
    readonly_fields = fields

    class Media:
        css = {"all": ["vip_bundles/bundle.css"]}

    def find(self, text: str) -> Q:
        """Return the bundles with this id, booking or e-mail address."""
        if "@" in text:
            return Q(customer_email__iexact=text)
        wanted = uuid_in(text)
        return Q(id=wanted) | Q(booking_id=wanted) if wanted else NOTHING

    def name_of(self, row: VipBundle) -> str:
        """Return what tells it from others for the same show."""
        return f"{row}, {row.customer_email}"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows what each waits for."""
        del request, kwargs
        return BundleChangeList

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Model | None = None, **kwargs: Any
    ) -> HttpResponse:
        """Show first where it stands, told and drawn."""
        if isinstance(obj, VipBundle):
            obj.story = story = story_of(obj)  # type: ignore[attr-defined] # for this page
            context |= {
                "answers": answers(story),
                "drawing": draw(obj, story.facts),
                "timeline": happenings(story.entries),
            }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def sections(self, row: VipBundle) -> list[Section]:
        """Return what is known of its parts, what waits, and what was told, done and published."""
        story: Story = row.story  # type: ignore[attr-defined] # likewise
        waiting = [delivery for deliveries in deliveries_about(story.about).values() for delivery in deliveries]
        return [
            ticket_section(story),
            transport_section(story),
            *refund_sections(story),
            delivery_section("What waits and why", waiting, note="" if waiting else "Nothing."),
            notification_section(story.about),
            history_of(story.about),
            messages_about(story.about),
        ]

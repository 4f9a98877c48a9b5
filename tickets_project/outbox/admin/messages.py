"""Messages: the event log, to be read."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.lookups import Exact

from tickets_project.admin_site.display import Badges, Section, column, moment_column, pretty_json
from tickets_project.admin_site.pages import ReadOnlyAdmin, uuid_in
from tickets_project.outbox.admin.explaining import delivery_section, message_section
from tickets_project.outbox.admin.filters import KindFilter, TypeFilter
from tickets_project.outbox.models import Message

KINDS = Badges({"command": "primary"})
KIND = column("kind", lambda row: KINDS.show(row.kind))
ABOUT = column("about", lambda row: f"{row.aggregatetype} {row.aggregateid}")
CORRELATION = column("correlation id", lambda row: row.headers.get("correlation_id") or "-")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """What was published, newest first."""

    list_display = ["type", KIND, ABOUT, moment_column("published_at"), CORRELATION]
    list_filter = [TypeFilter, KindFilter]
    search_fields = ["id", "aggregateid", "headers"]
    search_help_text = "The id of a message, its subject or correlation"
    ordering = ["-sequence"]
    fields = [
        "id",
        "sequence",
        "type",
        KIND,
        ABOUT,
        CORRELATION,
        moment_column("published_at"),
        column("payload", lambda row: pretty_json(row.payload)),
        column("headers", lambda row: pretty_json(row.headers)),
    ]
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return the messages with this id, about this aggregate, or of this correlation; each has its index."""
        found = Q(aggregateid=text) | Q(Exact(KT("headers__correlation_id"), text))
        message_id = uuid_in(text)
        return found | Q(id=message_id) if message_id else found

    def sections(self, row: Message) -> list[Section]:
        """Return its deliveries, and the messages that handling it caused."""
        deliveries = row.deliveries.select_related("message").order_by("id")
        return [
            delivery_section("Deliveries", list(deliveries), note="" if deliveries else "No handler hears this type."),
            message_section("Messages that it caused", _caused_by(row)),
        ]


def _caused_by(row: Message) -> Any:
    # All that one request set off has its correlation id, which has an index; a causation id has none.
    correlation_id = row.headers.get("correlation_id") or ""
    return Message.objects.filter(Exact(KT("headers__correlation_id"), correlation_id)).filter(
        headers__causation_id=str(row.id)
    )

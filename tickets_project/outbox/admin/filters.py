"""The list filters of the outbox; their choices come from the subscription table."""

from django.db.models import Q

from tickets_project.admin_site.filters import choice_filter
from tickets_project.outbox.models import Delivery, Message, Status
from tickets_project.outbox.queries import failed_with, parked_groups
from tickets_project.outbox.subscriptions import subscriptions


def _types_of(kind: str) -> list[str]:
    return [message.NAME for message in subscriptions().declared if kind == message.KIND]


TypeFilter = choice_filter(
    "type", lambda: [(name, name) for name in sorted(subscriptions().names())], lambda name: Q(type=name)
)
# By the types, which have an index.
KindFilter = choice_filter("kind", lambda: Message.KINDS, lambda kind: Q(type__in=_types_of(kind)))
HandlerFilter = choice_filter(
    "handler", lambda: [(entry.key, entry.key) for entry in subscriptions()], lambda key: Q(handler=key)
)
# Of the parked ones, which have an index: each error's text is read.
ExceptionFilter = choice_filter(
    "exception",
    lambda: [(name, name) for name in sorted({group.exception for group in parked_groups()})],
    lambda name: Q(pk__in=failed_with(Delivery.objects.filter(status=Status.PARKED), name).values("pk")),
)

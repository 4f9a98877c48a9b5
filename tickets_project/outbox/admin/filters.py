"""The list filters of the outbox; their choices come from the subscription table."""

from django.db.models import Q

from tickets_project.admin_site.filters import choice_filter
from tickets_project.outbox.models import Message
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

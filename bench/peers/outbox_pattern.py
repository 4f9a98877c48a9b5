"""django-outbox-pattern: its relay alone, for what it relays to is a STOMP broker, which none here is.

Its connection is replaced by one that runs the handler in the place of sending. So the broker and the consumer cost it
nothing, and what is measured is more than it can reach.
"""

from bench.peers.django_settings import set_up_django

set_up_django(
    "django_outbox_pattern",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    DJANGO_OUTBOX_PATTERN={"DEFAULT_CONNECTION_CLASS": "bench.peers.no_broker.NoBroker"},
)

from django.core.management import call_command
from django.db import transaction
from django_outbox_pattern.models import Published

from bench.contending import answer, now

_DESTINATION = "/topic/count"


def install() -> None:
    """Make its tables."""
    call_command("migrate", verbosity=0)


def enqueue(events: range) -> None:
    """Store one message per event, in place of those of an earlier round."""
    Published.objects.all().delete()
    Published.objects.bulk_create([_message(event) for event in events], batch_size=1000)


def send(event: int) -> float:
    """Store the message of one event."""
    with transaction.atomic():
        _message(event).save()
        return now()


def work() -> None:
    """Run one relay; the benchmark starts two."""
    call_command("publish")


def _message(event: int) -> Published:
    return Published(destination=_DESTINATION, body={"event": event})


if __name__ == "__main__":
    answer(install=install, enqueue=enqueue, send=send, work=work)

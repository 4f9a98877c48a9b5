"""django-q2 with one task per event, on its ORM broker.

Twenty tasks a fetch, and no stored results: with its defaults it is several times slower.
"""

from bench.peers.django_settings import set_up_django

set_up_django(
    "django_q",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    Q_CLUSTER={
        "name": "bench",
        "workers": 2,
        "orm": "default",
        "bulk": 20,
        "queue_limit": 100,
        "save_limit": -1,
        "timeout": 60,
        "retry": 120,
        "ack_failures": True,
        "log_level": "WARNING",
    },
)

from django.core.management import call_command
from django.db import transaction
from django_q.tasks import async_task

from bench.contending import answer, now

_HANDLER = "bench.effects.take_effect"


def install() -> None:
    """Make its tables."""
    call_command("migrate", verbosity=0)


def enqueue(events: range) -> None:
    """Queue one task per event."""
    with transaction.atomic():
        for event in events:
            async_task(_HANDLER, event)


def send(event: int) -> float:
    """Queue the task of one event."""
    with transaction.atomic():
        async_task(_HANDLER, event)
        return now()


def work() -> None:
    """Run the cluster."""
    call_command("qcluster")


if __name__ == "__main__":
    answer(install=install, enqueue=enqueue, send=send, work=work)

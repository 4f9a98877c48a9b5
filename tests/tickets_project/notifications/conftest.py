"""The table of notifications alone, and a mail server."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from tests.tickets_project.notifications.smtp_sink import SmtpSink
from tickets_project.notifications import commands, handlers
from tickets_project.notifications.commands import SendNotification
from tickets_project.outbox.subscriptions import Subscription, Subscriptions


@pytest.fixture(autouse=True)
def _own_table(table: Callable[[Subscriptions], None]) -> None:
    send = Subscription(
        SendNotification, "notifications.send", handlers.send_notification, external=True, retry=handlers.RETRY
    )
    table(Subscriptions(send, declared_in=(commands,)))


@pytest.fixture(autouse=True)
def _own_names(settings: Settings) -> None:
    settings.TICKETS_TIME_ZONE = "Europe/Madrid"
    settings.TICKETS_ORGANISER = "Example Tickets"
    settings.TICKETS_CONTACT = "help@tickets.example"
    settings.DEFAULT_FROM_EMAIL = "Example Tickets <tickets@tickets.example>"


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[SmtpSink]:
    """Be the mail server for one test; it takes mail once it is started."""
    with SmtpSink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", sink.port, 5
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield sink

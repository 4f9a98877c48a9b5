"""Sending, through a real mail server where it matters."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from tests.tickets_project.notifications.made import pending, sent
from tests.tickets_project.notifications.smtp_sink import SmtpSink
from tests.working import deliver_all, deliver_due
from tickets_project.notifications.commands import SendNotification
from tickets_project.notifications.handlers import RETRY, send_notification
from tickets_project.notifications.models import Notification
from tickets_project.notifications.services import resend
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.repairing import retry_delivery

DAY = 24 * 3600


def make_due() -> None:
    """Let the wait be over."""
    Delivery.objects.filter(status=Status.PENDING).update(available_at="2026-01-01T00:00:00Z")


def command(notification: Notification, *, sending: int = 1) -> SendNotification:
    return SendNotification(notification_id=str(notification.id), sending=sending)


@contextmanager
def unchanged() -> Iterator[None]:
    before = list(Notification.objects.order_by("id").values())
    yield
    assert list(Notification.objects.order_by("id").values()) == before


class BackendThatLooks(EmailBackend):
    """Notes whether a transaction is open while it sends."""

    in_transaction: list[bool] = []

    def send_messages(self, messages: Any) -> int:
        self.in_transaction.append(connection.in_atomic_block)
        return int(super().send_messages(messages))


@pytest.mark.django_db
class TestSendNotification:
    def test_sends_before_anything_is_recorded(self) -> None:
        notification = pending()
        with unchanged():
            recording = send_notification(command(notification))
        assert [message.to for message in mail.outbox] == [["ada@customers.example"]]
        assert recording
        recording()
        notification.refresh_from_db()
        assert (notification.state, notification.sendings) == ("sent", 1)
        assert notification.sent_at
        assert abs((timezone.now() - notification.sent_at).total_seconds()) < 60

    def test_sends_nothing_that_is_sent(self) -> None:
        assert send_notification(command(sent())) is None
        assert mail.outbox == []

    def test_sends_through_a_provider_s_api_as_well(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
        for template in ("booking_confirmed", "ticket_activated"):
            assert send_notification(command(pending(template)))
        outbox: list[Any] = mail.outbox
        confirmed, activated = (message.anymail_test_params for message in outbox)
        [file], [picture] = confirmed["attachments"], activated["attachments"]
        assert (file.name, file.mimetype, file.inline) == ("booking.ics", "text/calendar", False)
        assert (picture.mimetype, picture.inline) == ("image/png", True)
        assert f'src="cid:{picture.cid}"' in activated["html_body"]

    def test_sends_the_next_one_under_another_message_id(self) -> None:
        notification = sent()
        assert send_notification(command(notification, sending=2))
        assert mail.outbox[0].extra_headers["Message-ID"].startswith(f"<{notification.id}.2@")


@pytest.mark.django_db(transaction=True)
class TestSendNotificationDelivered:
    def test_sends_once_though_it_is_delivered_twice(self) -> None:
        pending()
        deliver_all()
        Delivery.objects.update(status=Status.PENDING, delivered_at=None)
        make_due()
        deliver_all()
        assert len(mail.outbox) == 1
        assert Delivery.objects.get().status == Status.DELIVERED
        assert Notification.objects.get().sendings == 1

    def test_holds_no_transaction_while_it_sends(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.{BackendThatLooks.__name__}"
        BackendThatLooks.in_transaction.clear()
        pending()
        deliver_all()
        assert BackendThatLooks.in_transaction == [False]

    def test_sends_again_when_it_is_asked_to(self) -> None:
        notification = pending()
        deliver_all()
        resend(notification_id=notification.id, by="ann", at=timezone.now())
        deliver_all()
        notification.refresh_from_db()
        assert (notification.state, notification.sendings, len(mail.outbox)) == ("sent", 2, 2)

    def test_delays_and_loses_nothing_while_the_server_is_down(self, mail_server: SmtpSink) -> None:
        pending(), pending("ticket_activated", email="bob@customers.example")
        for attempt in (1, 2):
            make_due()
            with unchanged():
                assert deliver_due() == 2
            assert set(Delivery.objects.values_list("status", "attempts")) == {("pending", attempt)}
            assert all("ConnectionRefusedError" in delivery.last_error for delivery in Delivery.objects.all())
            assert deliver_due() == 0
        mail_server.start()
        make_due()
        deliver_all()
        make_due()
        deliver_all()
        assert sorted(str(message["To"]) for message in mail_server.mails) == [
            "ada@customers.example",
            "bob@customers.example",
        ]
        assert set(Notification.objects.values_list("state", "sendings")) == {("sent", 1)}
        assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}

    def test_arrives_whole(self, mail_server: SmtpSink) -> None:
        mail_server.start()
        pending()
        deliver_all()
        [message] = mail_server.mails
        [(sender, recipient)] = mail_server.envelopes
        assert "<tickets@tickets.example>" in sender
        assert "<ada@customers.example>" in recipient
        assert message["Subject"] == "Booking confirmed: Carmen (KMNPQRSTVW)"
        kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
        assert kinds == ["text/plain", "text/html", "text/calendar"]

    def test_may_send_twice_when_the_answer_was_lost_and_then_alike(self, mail_server: SmtpSink) -> None:
        mail_server.drops = 1
        mail_server.start()
        pending()
        deliver_due()
        assert Delivery.objects.get().status == Status.PENDING
        make_due()
        deliver_all()
        assert Notification.objects.get().sendings == 1
        one, other = mail_server.mails
        assert one["Message-ID"] == other["Message-ID"]

    @pytest.mark.parametrize(
        ("verb", "answer"),
        [("RCPT", "550 5.1.1 no such user"), ("MAIL", "550 5.7.1 we know you not"), (".", "554 5.6.0 no such mail")],
    )
    def test_is_parked_when_the_server_refuses_it_for_ever(self, mail_server: SmtpSink, verb: str, answer: str) -> None:
        mail_server.refusals[verb] = answer
        mail_server.start()
        pending()
        with unchanged():
            deliver_due()
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.attempts) == ("parked", 1)
        assert f"refuses this mail to ada@customers.example for ever: {answer}" in delivery.last_error
        del mail_server.refusals[verb]
        retry_delivery(delivery.pk, by="ann", at=timezone.now())
        deliver_all()
        assert Notification.objects.get().state == "sent"

    @pytest.mark.parametrize(
        ("verb", "answer"),
        [
            ("RCPT", "450 4.2.0 come again"),
            ("MAIL", "451 4.3.0 busy"),
            (".", "452 4.3.1 full"),
            ("MAIL", "530 5.7.0 authenticate first"),
        ],
    )
    def test_is_tried_again_when_the_refusal_may_pass(self, mail_server: SmtpSink, verb: str, answer: str) -> None:
        mail_server.refusals[verb] = answer
        mail_server.start()
        pending()
        deliver_due()
        assert Delivery.objects.get().status == Status.PENDING
        mail_server.refusals.clear()
        make_due()
        deliver_all()
        assert Notification.objects.get().state == "sent"

    def test_is_parked_when_there_is_nobody_to_send_to(self) -> None:
        pending(email="ada@customers.example\nBcc: eve@evil.example")
        deliver_due()
        delivery = Delivery.objects.get()
        assert delivery.status == Status.PARKED
        assert "it is no e-mail address" in delivery.last_error
        assert mail.outbox == []


class TestRetry:
    def test_spans_about_three_days(self) -> None:
        assert 2.9 * DAY < sum(RETRY.delays) < 3.1 * DAY
        assert max(RETRY.delays) <= 2 * 3600

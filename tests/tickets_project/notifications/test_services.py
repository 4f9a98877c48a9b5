"""Writing notifications."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from tests.factories import UserFactory
from tests.tickets_project.notifications.made import AT, BOOKING, FACTS, STARTS, pending, sent
from tickets_project.correlation import Trace, tracing
from tickets_project.notifications.errors import NotificationPending
from tickets_project.notifications.models import Notification
from tickets_project.notifications.services import notify, record_sent, resend
from tickets_project.outbox.models import Delivery, Message
from tickets_project.outbox.publishing import NotInTransaction

LATER = AT + timedelta(hours=3)


@pytest.mark.django_db
class TestNotify:
    def test_leaves_a_row_and_the_command_to_send_it(self) -> None:
        ada = UserFactory.create()
        with tracing(Trace(correlation_id="c1")), transaction.atomic():
            notification = notify(
                template="booking_confirmed",
                recipient_id=ada.pk,
                email="ada@customers.example",
                context=FACTS["booking_confirmed"],
                about=("booking", BOOKING),
                at=AT,
            )
        stored = Notification.objects.get()
        assert stored == notification
        assert (stored.template, stored.recipient, stored.email) == ("booking_confirmed", ada, "ada@customers.example")
        assert (stored.about_type, stored.about_id, stored.correlation_id) == ("booking", BOOKING, "c1")
        assert (stored.state, stored.sendings, stored.sent_at, stored.created_at) == ("pending", 0, None, AT)
        assert stored.context["start_time"] == f"{STARTS:%Y-%m-%dT%H:%M:%SZ}"
        assert stored.context == notification.context
        message = Message.objects.get()
        assert (message.type, message.kind, message.aggregatetype) == ("SendNotification", "command", "notification")
        assert message.payload == {"notification_id": str(stored.id), "sending": 1, "requested_by": ""}
        assert Delivery.objects.get().handler == "notifications.send"

    def test_refuses_a_context_that_lacks_a_fact(self) -> None:
        with pytest.raises(ValueError, match="needs location"), transaction.atomic():
            notify(
                template="ticket_redeemed",
                recipient_id=None,
                email="ada@customers.example",
                context={"ticket_id": BOOKING, "redeemed_at": AT},
                about=("ticket", BOOKING),
                at=AT,
            )
        assert not Notification.objects.exists()
        assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestNotifyOutsideATransaction:
    def test_leaves_nothing(self) -> None:
        with pytest.raises(NotInTransaction):
            notify(
                template="booking_confirmed",
                recipient_id=None,
                email="ada@customers.example",
                context=FACTS["booking_confirmed"],
                about=("booking", BOOKING),
                at=AT,
            )
        assert not Notification.objects.exists()

    def test_leaves_nothing_when_the_change_is_rolled_back(self) -> None:
        with transaction.atomic():
            pending()
            transaction.set_rollback(True)
        assert not Notification.objects.exists()
        assert not Delivery.objects.exists()


@pytest.mark.django_db
class TestResend:
    def test_asks_for_the_next_sending(self) -> None:
        notification = sent()
        resend(notification_id=notification.id, by="ann", at=LATER)
        notification.refresh_from_db()
        assert (notification.state, notification.sendings) == ("pending", 1)
        assert (notification.requested_by, notification.requested_at) == ("ann", LATER)
        payload = Message.objects.order_by("-sequence")[0].payload
        assert payload == {"notification_id": str(notification.id), "sending": 2, "requested_by": "ann"}

    def test_is_refused_while_it_is_on_its_way(self) -> None:
        notification = pending()
        with pytest.raises(NotificationPending) as refusal:
            resend(notification_id=notification.id, by="ann", at=LATER)
        assert refusal.value.code == "notification_pending"
        assert Message.objects.count() == 1

    def test_is_refused_for_an_unknown_one(self) -> None:
        with pytest.raises(Notification.DoesNotExist):
            resend(notification_id=uuid4(), by="ann", at=LATER)


@pytest.mark.django_db
class TestRecordSent:
    def test_notes_when_it_was_sent(self) -> None:
        notification = pending()
        record_sent(notification_id=notification.id, sending=1, at=LATER)
        notification.refresh_from_db()
        assert (notification.state, notification.sendings, notification.sent_at) == ("sent", 1, LATER)

    def test_changes_nothing_the_second_time(self) -> None:
        notification = sent()
        resend(notification_id=notification.id, by="ann", at=LATER)
        record_sent(notification_id=notification.id, sending=1, at=LATER)
        notification.refresh_from_db()
        assert (notification.state, notification.sendings, notification.sent_at) == (
            "pending",
            1,
            AT + timedelta(minutes=1),
        )

    def test_is_all_that_makes_it_sent(self) -> None:
        notification = pending()
        with pytest.raises(IntegrityError), transaction.atomic():
            Notification.objects.filter(id=notification.id).update(state="sent")
        with pytest.raises(IntegrityError), transaction.atomic():
            Notification.objects.filter(id=notification.id).update(sendings=1)

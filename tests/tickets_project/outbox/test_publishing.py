"""Publishing: a message exists if and only if its change was committed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.messages_for_tests import DoIt, Happened
from tickets_project.correlation import Trace, tracing
from tickets_project.outbox.models import Delivery, Message
from tickets_project.outbox.publishing import NotInTransaction, UndeclaredMessage, publish
from tickets_project.outbox.subscriptions import Subscription, Subscriptions


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("listener")
class TestPublish:
    def test_stores_the_message_as_the_contract_says(self) -> None:
        with tracing(Trace(correlation_id="c1", causation_id="m0", traceparent="00-a-b-01")), transaction.atomic():
            publish(Happened(thing_id="t1", number=3))
        message = Message.objects.get()
        assert isinstance(message.id, UUID)
        assert (message.kind, message.type) == ("event", "Happened_v1")
        assert (message.aggregatetype, message.aggregateid) == ("thing", "t1")
        assert message.payload == {"thing_id": "t1", "number": 3}
        assert message.headers == {
            "correlation_id": "c1",
            "causation_id": "m0",
            "idempotency_key": str(message.id),
            "traceparent": "00-a-b-01",
        }

    def test_makes_a_delivery_per_subscription(self, table: Callable[[Subscriptions], None]) -> None:
        first, second = Listener(), Listener()
        table(
            Subscriptions(
                Subscription(Happened, "things.first", first),
                Subscription(Happened, "things.second", second, ordered=True),
                declared_in=(messages_for_tests,),
            )
        )
        with transaction.atomic():
            publish(Happened(thing_id="t1"))
        deliveries = Delivery.objects.order_by("handler").values_list("handler", "status", "attempts", "ordering_key")
        assert list(deliveries) == [("things.first", "pending", 0, None), ("things.second", "pending", 0, "thing:t1")]

    def test_stores_an_event_that_nobody_hears(self) -> None:
        with transaction.atomic():
            publish(DoIt(thing_id="t1"))
        assert (Message.objects.count(), Delivery.objects.count()) == (1, 0)

    def test_numbers_messages_in_their_order(self) -> None:
        with transaction.atomic():
            publish(*(Happened(thing_id="t1", number=number) for number in range(5)))
        in_order = Message.objects.order_by("sequence").values_list("payload__number", flat=True)
        assert list(in_order) == [0, 1, 2, 3, 4]

    def test_leaves_nothing_when_the_change_is_rolled_back(self) -> None:
        def change() -> None:
            with transaction.atomic():
                User.objects.create(username="door")
                publish(Happened(thing_id="t1"))
                raise KeyError

        with pytest.raises(KeyError):
            change()
        assert not Message.objects.exists()
        assert not Delivery.objects.exists()

    def test_refuses_to_publish_outside_a_transaction(self) -> None:
        with pytest.raises(NotInTransaction, match="atomic"):
            publish(Happened(thing_id="t1"))
        assert not Message.objects.exists()

    def test_refuses_a_message_that_nobody_declared(self, table: Callable[[Subscriptions], None]) -> None:
        table(Subscriptions(declared_in=()))
        with pytest.raises(UndeclaredMessage, match="Happened"), transaction.atomic():
            publish(Happened(thing_id="t1"))

    def test_wakes_a_listening_connection_once_per_transaction(self, django_db_blocker: Any) -> None:
        del django_db_blocker
        listening = connection.copy()
        listening.ensure_connection()
        listening.connection.execute("LISTEN outbox")
        with transaction.atomic():
            for _ in range(3):
                publish(Happened(thing_id="t1"))
        notified = list(listening.connection.notifies(timeout=0.5))
        listening.close()
        assert len(notified) == 1

"""Publishing: a message exists if and only if its change was committed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import takewhile
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from tests.bookings.threads import at_once
from tests.factories import DeliveryFactory
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.messages_for_tests import DoIt, Happened
from tickets_project.correlation import Trace, tracing
from tickets_project.outbox.models import Delivery, Message
from tickets_project.outbox.publishing import NotInTransaction, UndeclaredMessage, end_waits, publish
from tickets_project.outbox.subscriptions import Subscription, Subscriptions


@contextmanager
def listening() -> Iterator[Callable[[], int]]:
    """Listen as a dispatcher does; return what tells how often it was woken since it last asked."""
    listener = connection.copy()
    listener.ensure_connection()
    listener.connection.execute("LISTEN outbox")

    def woken() -> int:
        # Notifications come in the order of their commits.
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY outbox, 'no more'")
        notified = listener.connection.notifies(timeout=10)
        return sum(1 for _ in takewhile(lambda each: each.payload != "no more", notified))

    try:
        yield woken
    finally:
        listener.close()


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

    def test_wakes_a_listening_connection_once_per_transaction(self) -> None:
        with listening() as notified:
            with transaction.atomic():
                for _ in range(3):
                    publish(Happened(thing_id="t1"))
            assert notified() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("listener")
class TestEndWaits:
    def waiting(self, waits_for: str = "t2") -> Delivery:
        delivery: Delivery = DeliveryFactory.create(
            handler="things.listen",
            waits_for=waits_for,
            waiting_since=timezone.now(),
            available_at=timezone.now() + timedelta(hours=1),
        )
        return delivery

    def is_due(self, delivery: Delivery) -> bool:
        delivery.refresh_from_db()
        return delivery.available_at <= timezone.now()

    def test_makes_due_what_waits_for_these_alone(self) -> None:
        first, second, other, retrying = (self.waiting(name) for name in ("t1", "t2", "t3", ""))
        with transaction.atomic():
            end_waits("t1", "t2")
        assert [self.is_due(each) for each in (first, second, other, retrying)] == [True, True, False, False]
        assert (first.waits_for, other.waits_for) == ("", "t3")
        # How long it has waited in all still counts.
        assert first.waiting_since is not None

    def test_leaves_what_is_no_longer_open(self) -> None:
        parked = self.waiting()
        Delivery.objects.update(status="parked")
        with transaction.atomic():
            end_waits("t2")
        assert not self.is_due(parked)

    def test_is_undone_with_the_change(self) -> None:
        waiting = self.waiting()
        with transaction.atomic():
            end_waits("t2")
            transaction.set_rollback(True)
        assert not self.is_due(waiting)

    def test_waits_for_nobody_who_has_the_delivery_in_hand(self) -> None:
        waiting = self.waiting()
        with transaction.atomic():
            Delivery.objects.select_for_update().get(id=waiting.pk)
            at_once([transaction.atomic(partial(end_waits, "t2"))])
        assert not self.is_due(waiting)

    def test_refuses_to_end_them_outside_a_transaction(self) -> None:
        with pytest.raises(NotInTransaction):
            end_waits("t2")

    def test_wakes_a_dispatcher_if_it_made_something_due(self) -> None:
        with listening() as notified:
            with transaction.atomic():
                end_waits("t2")
            assert notified() == 0
            self.waiting()
            with transaction.atomic():
                end_waits("t2")
            assert notified() == 1

"""What a dispatcher has claimed at once: in which order it is committed, and what with what."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from structlog.testing import capture_logs

from tests.processes import eventually
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.dispatchers import all_delivered, dispatching, happen
from tests.tickets_project.outbox.messages_for_tests import Happened
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

pytestmark = pytest.mark.django_db(transaction=True)


class TestDeliveriesOfOneHandler:
    def test_are_committed_in_the_order_of_their_aggregates(self, listener: Listener) -> None:
        with transaction.atomic():
            publish(*(Happened(thing_id=name, number=0) for name in ("t3", "t1", "t5", "t2", "t4")))
        with dispatching():
            eventually(all_delivered)
        assert [message.thing_id for message in listener.heard] == ["t1", "t2", "t3", "t4", "t5"]

    def test_are_committed_in_the_order_of_what_their_handler_locks(
        self, table: Callable[[Subscriptions], None]
    ) -> None:
        listener = Listener()
        subscription = Subscription(Happened, "things.listen", listener, locks_by="number")
        table(Subscriptions(subscription, declared_in=(messages_for_tests,)))
        with transaction.atomic():
            publish(*(Happened(thing_id=f"t{9 - number}", number=number) for number in (3, 1, 5, 2, 4)))
        with dispatching():
            eventually(all_delivered)
        assert [message.number for message in listener.heard] == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize("together", [True, False])
    def test_are_committed_together_unless_each_is_to_be_alone(
        self,
        table: Callable[[Subscriptions], None],
        together: bool,  # noqa: FBT001 - a table's cell
    ) -> None:
        transactions = []

        def note(_message: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()::text")
                transactions.append(cursor.fetchone()[0])

        subscription = Subscription(Happened, "things.note", note, together=together)
        table(Subscriptions(subscription, declared_in=(messages_for_tests,)))
        happen(5)
        with dispatching():
            eventually(all_delivered)
        assert (len(transactions), len(set(transactions))) == (5, 1 if together else 5)

    def test_are_not_undone_by_another_that_fails_when_each_is_alone(
        self, table: Callable[[Subscriptions], None]
    ) -> None:
        def odd_fail(message: Any) -> None:
            if message.number % 2:
                raise ValueError("odd")

        subscription = Subscription(Happened, "things.fail", odd_fail, together=False)
        table(Subscriptions(subscription, declared_in=(messages_for_tests,)))
        happen(4)
        with capture_logs() as lines, dispatching():
            eventually(lambda: Delivery.objects.filter(status=Status.DELIVERED).count() == 2)
        assert "not together" not in {line["event"] for line in lines}

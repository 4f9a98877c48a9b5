"""Delivering: every outcome of a handler, and what it leaves in the tables."""

from collections.abc import Callable
from datetime import timedelta
from time import sleep
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from tests.factories import DeliveryFactory, MessageFactory
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.messages_for_tests import Happened
from tests.working import claim_due, deliver_all, deliver_due
from tickets_project.correlation import Trace, current_trace, tracing
from tickets_project.outbox import delivering
from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.delivering import Batch, commit_together, deliver, prepare
from tickets_project.outbox.failing import Undelivered
from tickets_project.outbox.models import Delivery, Message, Status
from tickets_project.outbox.outcomes import GiveUp, NotYet
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.retries import RetryPolicy
from tickets_project.outbox.subscriptions import Recording, Subscription, Subscriptions

pytestmark = pytest.mark.django_db(transaction=True)


def happen(**fields: Any) -> Message:
    with transaction.atomic():
        publish(Happened(**{"thing_id": "t1"} | fields))
    return Message.objects.latest("sequence")


def fail(message: Any) -> None:
    raise ValueError(f"no {message.thing_id}\x00")


def make_user(_message: Any) -> None:
    User.objects.create(username="door")


def name_a_user(message: Any) -> None:
    User.objects.create(username=message.thing_id)


def delay_of(claim: Claim) -> timedelta | None:
    """Deliver what does not go well, and return after how long it falls due again."""
    outcome = deliver(claim)
    assert outcome is not None
    return outcome.delay


def fall_due() -> None:
    Delivery.objects.update(available_at=timezone.now() - timedelta(seconds=1))


class TestDeliverTransactional:
    def test_hands_over_the_message_with_its_header(self, listener: Listener) -> None:
        with tracing(Trace(correlation_id="c1")):
            stored = happen(number=7)
        deliver_due()
        assert listener.heard == [Happened(thing_id="t1", number=7)]
        header = listener.heard[0].header
        assert (header.id, header.published_at) == (str(stored.id), stored.published_at)
        assert (header.idempotency_key, header.correlation_id) == (str(stored.id), "c1")

    def test_commits_effect_and_mark_together(self, listener: Listener) -> None:
        happen()
        listener.then = make_user
        deliver_due()
        delivery = Delivery.objects.get()
        assert User.objects.count() == 1
        assert (delivery.status, delivery.attempts) == (Status.DELIVERED, 1)
        assert delivery.delivered_at is not None

    def test_runs_the_handler_in_a_transaction(self, listener: Listener) -> None:
        seen = []
        listener.then = lambda _message: seen.append(connection.in_atomic_block)
        happen()
        deliver_due()
        assert seen == [True]

    def test_delivers_once(self, listener: Listener) -> None:
        happen()
        deliver_all()
        fall_due()
        assert deliver_due() == 0
        assert len(listener.heard) == 1

    def test_publishes_what_follows_with_its_cause(self, listener: Listener) -> None:
        def once(message: Any) -> None:
            if message.number == 0:
                publish(Happened(thing_id="t2", number=1))

        listener.then = once
        with tracing(Trace(correlation_id="c1", traceparent="00-a-b-01")):
            cause = happen()
        deliver_all()
        effect = Message.objects.get(aggregateid="t2")
        assert effect.headers["causation_id"] == str(cause.id)
        assert (effect.headers["correlation_id"], effect.headers["traceparent"]) == ("c1", "00-a-b-01")

    def test_undoes_the_effect_of_a_handler_that_fails_late(self, listener: Listener) -> None:
        def late(message: Any) -> None:
            make_user(message)
            publish(Happened(thing_id="t2"))
            fail(message)

        listener.then = late
        happen()
        deliver_due()
        delivery = Delivery.objects.get()
        assert not User.objects.exists()
        assert Message.objects.count() == 1
        assert (delivery.status, delivery.attempts, delivery.claimed_by) == (Status.PENDING, 1, None)
        assert "ValueError: no t1\\x00" in delivery.last_error
        assert "Traceback" in delivery.last_error

    def test_fails_when_it_returns_something_to_record(self, listener: Listener) -> None:
        listener.then = lambda message: lambda: make_user(message)
        happen()
        deliver_due()
        assert "as only an external handler may" in Delivery.objects.get().last_error
        assert not User.objects.exists()


class TestDeliverExternal:
    def test_runs_the_handler_with_no_transaction_open(self, caller: Listener) -> None:
        seen = []
        caller.then = lambda _message: seen.append(connection.in_atomic_block)
        happen()
        deliver_due()
        assert seen == [False]
        assert Delivery.objects.get().status == Status.DELIVERED

    def test_commits_what_is_to_be_recorded_with_the_mark(self, caller: Listener) -> None:
        caller.then = lambda message: lambda: make_user(message)
        happen()
        deliver_due()
        assert User.objects.count() == 1
        assert Delivery.objects.get().status == Status.DELIVERED

    def test_tries_again_when_recording_fails(self, caller: Listener) -> None:
        def record(message: Any) -> Recording:
            return lambda: fail(message)

        caller.then = record
        happen()
        deliver_due()
        assert Delivery.objects.get().status == Status.PENDING
        caller.then = lambda message: lambda: make_user(message)
        fall_due()
        deliver_due()
        assert User.objects.count() == 1
        assert len(caller.heard) == 2


class TestDeliverFailing:
    def test_waits_longer_each_time_and_parks_at_last(self, table: Callable[[Subscriptions], None]) -> None:
        policy = RetryPolicy(delays=(5, 50), jitter=0)
        subscription = Subscription(Happened, "things.fail", fail, retry=policy)
        table(Subscriptions(subscription, declared_in=(messages_for_tests,)))
        happen()
        delays = []
        for _ in range(3):
            fall_due()
            delays += [delay_of(claim) for claim in claim_due()]
        delivery = Delivery.objects.get()
        assert delays == [timedelta(seconds=5), timedelta(seconds=50), None]
        assert (delivery.status, delivery.attempts) == (Status.PARKED, 3)

    def test_is_not_due_before_its_delay(self, listener: Listener) -> None:
        listener.then = fail
        happen()
        deliver_due()
        assert deliver_due() == 0
        assert Delivery.objects.get().available_at > timezone.now()

    def test_parks_at_once_what_cannot_help(self, listener: Listener) -> None:
        def give_up(_message: Any) -> None:
            raise GiveUp("the service refuses this ticket")

        listener.then = give_up
        happen()
        assert [delay_of(claim) for claim in claim_due()] == [None]
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.attempts) == (Status.PARKED, 1)
        assert "the service refuses this ticket" in delivery.last_error

    def test_parks_a_payload_that_does_not_fit(self, listener: Listener) -> None:
        stored = MessageFactory.create(type="Happened_v1", payload={"number": "three"})
        DeliveryFactory.create(message=stored, handler="things.listen")
        deliver_due()
        assert Delivery.objects.get().status == Status.PARKED
        assert "`$.number`" in Delivery.objects.get().last_error
        assert listener.heard == []

    def test_parks_a_message_that_kills_its_worker_each_time(self, listener: Listener) -> None:
        happen()
        for _ in range(RetryPolicy().most_attempts):
            claim_due()
            fall_due()
        deliver_due()
        delivery = Delivery.objects.get()
        assert delivery.status == Status.PARKED
        assert "The worker died each time" in delivery.last_error
        assert listener.heard == []

    def test_keeps_the_end_of_a_long_error(self, listener: Listener) -> None:
        def long(_message: Any) -> None:
            raise ValueError("x" * 100_000 + "the end")

        listener.then = long
        happen()
        deliver_due()
        error = Delivery.objects.get().last_error
        assert len(error) == 20_000
        assert error.rstrip().endswith("the end")

    @pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
    def test_keeps_an_error_that_the_database_cannot_store(self, listener: Listener, text: str) -> None:
        def odd(_message: Any) -> None:
            raise ValueError(text)

        listener.then = odd
        happen()
        deliver_due()
        assert Delivery.objects.get().last_error.rstrip().endswith(("a\\x00b", "a\\ud800b"))

    def test_leaves_the_other_handlers_of_the_message_alone(self, table: Callable[[Subscriptions], None]) -> None:
        other = Listener()
        table(
            Subscriptions(
                Subscription(Happened, "things.fail", fail),
                Subscription(Happened, "things.other", other),
                declared_in=(messages_for_tests,),
            )
        )
        happen()
        deliver_due()
        assert len(other.heard) == 1
        assert Delivery.objects.get(handler="things.other").status == Status.DELIVERED
        assert Delivery.objects.get(handler="things.fail").status == Status.PENDING


class TestDeliverNotYet:
    @pytest.fixture(autouse=True)
    def _wait(self, listener: Listener) -> None:
        def not_yet(message: Any) -> None:
            if message.number == 0:
                raise NotYet("the other one is missing", aggregate_id="t2")

        listener.then = not_yet

    def test_is_no_failure(self) -> None:
        happen()
        [delay] = [delay_of(claim) for claim in claim_due()]
        delivery = Delivery.objects.get()
        assert delay == timedelta(seconds=0.2)
        assert (delivery.status, delivery.attempts, delivery.waits_for) == (Status.PENDING, 0, "t2")
        assert (delivery.last_error, delivery.waiting_since is None) == ("the other one is missing", False)

    def test_is_due_at_once_when_the_message_arrives(self) -> None:
        happen()
        deliver_due()
        Delivery.objects.update(available_at=timezone.now() + timedelta(hours=1))
        happen(thing_id="t2", number=1)
        waiting = Delivery.objects.get(message__aggregateid="t1")
        assert waiting.available_at <= timezone.now()
        assert waiting.waits_for == ""

    def test_is_not_woken_by_another_aggregate(self) -> None:
        happen()
        deliver_due()
        Delivery.objects.update(available_at=timezone.now() + timedelta(hours=1))
        happen(thing_id="t3", number=1)
        assert Delivery.objects.get(message__aggregateid="t1").available_at > timezone.now()

    def test_waits_for_its_own_aggregate_by_default(self, listener: Listener) -> None:
        def not_yet(_message: Any) -> None:
            raise NotYet("later")

        listener.then = not_yet
        happen()
        deliver_due()
        assert Delivery.objects.get().waits_for == "t1"

    def test_starts_waiting_anew_after_a_failure(self, listener: Listener) -> None:
        happen()
        deliver_due()
        listener.then = fail
        fall_due()
        deliver_due()
        delivery = Delivery.objects.get()
        assert (delivery.waiting_since, delivery.attempts) == (None, 1)

    def test_takes_a_reason_that_the_database_cannot_store(self, listener: Listener) -> None:
        def not_yet(_message: Any) -> None:
            raise NotYet("a\x00b")

        listener.then = not_yet
        happen()
        deliver_due()
        assert Delivery.objects.get().last_error == "a\\x00b"

    def test_is_parked_past_its_deadline(self, settings: Settings) -> None:
        settings.OUTBOX_WAIT_SECONDS = 60
        happen()
        deliver_due()
        Delivery.objects.update(
            waiting_since=timezone.now() - timedelta(seconds=61), available_at=timezone.now() - timedelta(seconds=1)
        )
        deliver_due()
        delivery = Delivery.objects.get()
        assert delivery.status == Status.PARKED
        assert "the other one is missing" in delivery.last_error


class TestDeliverLostClaim:
    def test_undoes_what_a_worker_did_after_its_lease(self, listener: Listener) -> None:
        happen()
        listener.then = make_user
        [stale] = claim_due(lease=timedelta(0))
        [current] = claim_due()
        assert delay_of(stale) is None
        assert not User.objects.exists()
        deliver(current)
        assert User.objects.count() == 1
        assert Delivery.objects.get().attempts == 2

    def test_does_not_count_a_failure_of_a_stale_worker(self, listener: Listener) -> None:
        happen()
        [stale] = claim_due(lease=timedelta(0))
        [current] = claim_due()
        listener.then = fail
        deliver(stale)
        delivery = Delivery.objects.get()
        assert (delivery.claimed_by, delivery.last_error) == (current.claimed_by, "")


class TestDeliverTrace:
    def test_is_that_of_the_request_while_the_handler_runs(self, listener: Listener) -> None:
        traces = []
        listener.then = lambda _message: traces.append(current_trace())
        with tracing(Trace(correlation_id="c1")):
            stored = happen()
        deliver_due()
        assert traces == [Trace(correlation_id="c1", causation_id=str(stored.id))]


class TestCommitTogether:
    @pytest.fixture
    def _unhurried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let a batch take as long as it does on a busy machine."""
        monkeypatch.setattr(delivering, "TOGETHER_SECONDS", 60)

    def batch(self, count: int) -> Batch:
        with transaction.atomic():
            publish(*(Happened(thing_id=f"t{number}", number=number) for number in range(count)))
        outcomes = [(claim, prepare(claim)) for claim in claim_due()]
        return [(claim, outcome) for claim, outcome in outcomes if not isinstance(outcome, Undelivered)]

    @pytest.mark.usefixtures("_unhurried")
    def test_commits_the_effects_of_all_with_their_marks(self, listener: Listener) -> None:
        listener.then = name_a_user
        assert commit_together(self.batch(5)) == []
        assert User.objects.count() == 5
        assert set(Delivery.objects.values_list("status", flat=True)) == {Status.DELIVERED}

    @pytest.mark.usefixtures("_unhurried")
    def test_leaves_all_and_no_trace_when_one_fails(self, listener: Listener) -> None:
        def third_fails(message: Any) -> None:
            User.objects.create(username=message.thing_id)
            if message.number == 2:
                fail(message)

        listener.then = third_fails
        batch = self.batch(5)
        assert commit_together(batch) == batch
        assert not User.objects.exists()
        assert set(Delivery.objects.values_list("status", flat=True)) == {Status.PENDING}

    @pytest.mark.usefixtures("_unhurried")
    def test_leaves_all_and_no_trace_when_a_claim_was_lost(self, listener: Listener) -> None:
        listener.then = name_a_user
        batch = self.batch(3)
        Delivery.objects.filter(id=batch[1][0].delivery_id).update(attempts=2)
        assert commit_together(batch) == batch
        assert not User.objects.exists()

    def test_leaves_the_later_ones_of_a_slow_handler(self, listener: Listener) -> None:
        listener.then = lambda _message: sleep(0.1)
        batch = self.batch(3)
        assert commit_together(batch) == batch[1:]
        assert Delivery.objects.filter(status=Status.DELIVERED).count() == 1

    @pytest.mark.usefixtures("_unhurried")
    def test_gives_each_its_own_trace(self, listener: Listener) -> None:
        causes = []
        listener.then = lambda message: causes.append((message.header.id, current_trace().causation_id))
        commit_together(self.batch(3))
        assert len(causes) == 3
        assert all(message_id == cause for message_id, cause in causes)

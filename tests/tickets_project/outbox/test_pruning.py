"""Pruning: what goes, what stays and why, and how it goes about it."""

from collections.abc import Collection
from datetime import datetime

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.bookings.threads import at_once
from tests.tickets_project.outbox import aged
from tests.tickets_project.outbox.aged import delivery, delivery_ids, intervention, message
from tickets_project.outbox import pruning
from tickets_project.outbox.keeping import messages_kept
from tickets_project.outbox.models import Delivery, Intervention, Message, PrunedType
from tickets_project.outbox.pruning import Pruned, count_prunable, prune, prune_now

pytestmark = pytest.mark.django_db(transaction=True)

asked: list[tuple[set[str], datetime]] = []


def needs_precious(aggregate_ids: Collection[str], /, *, since: datetime) -> set[str]:
    """Stand for an app that needs the messages about one thing."""
    asked.append((set(aggregate_ids), since))
    return {"precious"} & set(aggregate_ids)


@pytest.fixture(autouse=True)
def _retention(settings: Settings) -> None:
    settings.OUTBOX_KEEP_DELIVERED_DAYS = 30
    settings.OUTBOX_KEEP_MESSAGES_DAYS = 365
    settings.OUTBOX_STILL_NEEDED = [f"{__name__}.needs_precious"]
    asked.clear()


def pruned() -> tuple[int, int]:
    """Prune, hold the count that came before it against what went, and return that."""
    at = timezone.now()
    expected = count_prunable(at=at)
    outcome = prune(at=at)
    assert outcome == expected
    return outcome.deliveries, outcome.messages


class TestPruneDeliveries:
    def test_deletes_one_that_was_delivered_long_ago_and_leaves_its_message(self) -> None:
        young = delivery(days=29)
        delivery(days=31)
        assert pruned() == (1, 0)
        assert delivery_ids() == {young.pk}
        assert Message.objects.count() == 2

    def test_leaves_one_of_an_old_message_that_was_delivered_lately(self) -> None:
        delivery(days=100, closed=1)
        assert pruned() == (0, 0)

    @pytest.mark.parametrize("status", ["pending", "parked"])
    def test_leaves_what_is_open(self, status: str) -> None:
        delivery(days=300, status=status)
        assert pruned() == (0, 0)

    def test_takes_the_records_of_replays_along(self) -> None:
        intervention(delivery(days=60), "replayed", days=60)
        assert pruned() == (1, 0)
        assert not Intervention.objects.exists()

    def test_leaves_one_that_was_replayed_lately(self) -> None:
        intervention(delivery(days=60), "replayed", days=1)
        assert pruned() == (0, 0)

    @pytest.mark.parametrize(("status", "action"), [("delivered", "retried"), ("discarded", "discarded")])
    def test_leaves_what_a_person_decided_with_its_message(self, status: str, action: str) -> None:
        intervention(delivery(days=300, status=status), action, days=299)
        assert pruned() == (0, 0)

    def test_finds_an_old_one_among_young_ones(self) -> None:
        rows = [delivery(days=days) for days in (1, 2)]
        delivery(days=90)
        assert pruned() == (1, 0)
        assert delivery_ids() == {row.pk for row in rows}

    def test_deletes_all_of_one_moment(self) -> None:
        for _ in range(5):
            delivery(days=90)
        Message.objects.update(published_at=aged.ago(90))
        assert pruned() == (5, 0)

    def test_keeps_them_with_their_messages_when_set_to_nothing(self, settings: Settings) -> None:
        settings.OUTBOX_KEEP_DELIVERED_DAYS = 0
        delivery(days=364)
        assert pruned() == (0, 0)
        delivery(days=366)
        assert pruned() == (0, 1)
        assert Delivery.objects.count() == 1


class TestPruneMessages:
    def test_deletes_an_old_one_with_what_is_left_of_its_deliveries(self) -> None:
        old = message(days=400)
        intervention(delivery(days=400, message=old, status="discarded"), "discarded", days=399)
        delivery(days=400, message=old, handler="things.call")
        young = message(days=364)
        assert pruned() == (1, 1)
        assert list(Message.objects.all()) == [young]
        assert not Delivery.objects.exists()
        assert not Intervention.objects.exists()

    def test_deletes_one_that_nobody_heard(self) -> None:
        message(days=366)
        assert pruned() == (0, 1)

    @pytest.mark.parametrize("status", ["pending", "parked"])
    def test_leaves_one_with_an_open_delivery_and_the_records_of_it(self, status: str) -> None:
        row = delivery(days=400, status=status)
        intervention(row, "retried", days=399)
        intervention(delivery(days=400, message=row.message, status="discarded", handler="x"), "discarded", days=399)
        assert pruned() == (0, 0)
        assert Intervention.objects.count() == 2

    def test_leaves_one_that_was_delivered_lately(self) -> None:
        delivery(days=400, closed=29)
        assert pruned() == (0, 0)

    def test_leaves_one_whose_delivery_was_discarded_lately(self) -> None:
        intervention(delivery(days=400, status="discarded"), "discarded", days=29)
        assert pruned() == (0, 0)

    def test_leaves_those_about_what_is_still_needed(self) -> None:
        message(days=400, aggregateid="precious")
        message(days=400, aggregateid="common")
        assert pruned() == (0, 1)
        assert Message.objects.get().aggregateid == "precious"

    def test_asks_who_needs_them_with_the_end_of_its_window(self) -> None:
        message(days=400, aggregateid="common")
        at = timezone.now()
        prune(at=at)
        [(aggregates, since)] = asked
        assert aggregates == {"common"}
        assert (at - since).days == 365

    def test_leaves_all_when_who_needs_them_cannot_say(self, settings: Settings) -> None:
        settings.OUTBOX_STILL_NEEDED = [f"{__name__}.nobody"]
        message(days=400)
        with pytest.raises(ImportError, match="nobody"):
            prune(at=timezone.now())
        assert Message.objects.exists()

    def test_keeps_them_for_ever_when_set_to_nothing(self, settings: Settings) -> None:
        settings.OUTBOX_KEEP_MESSAGES_DAYS = 0
        message(days=36_000)
        assert pruned() == (0, 0)

    def test_leaves_all_while_somebody_reads_all(self) -> None:
        message(days=400)
        with messages_kept([]):
            [outcome] = at_once([lambda: prune(at=timezone.now())])
        assert isinstance(outcome, Pruned)
        assert outcome.messages == 0
        assert pruned() == (0, 1)

    def test_notes_how_many_of_each_type_went_and_until_when(self) -> None:
        message(days=500, type="A_v1")
        last = message(days=400, type="A_v1")
        message(days=400, type="B_v1")
        prune(at=timezone.now())
        message(days=450, type="A_v1")
        prune(at=timezone.now())
        first, second = PrunedType.objects.order_by("type")
        assert (first.type, first.messages, first.until) == ("A_v1", 3, last.published_at)
        assert (second.type, second.messages) == ("B_v1", 1)


class TestPrune:
    @pytest.fixture(autouse=True)
    def _small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pruning, "BATCH", 2)

    def test_goes_on_past_what_stays(self) -> None:
        stays = [delivery(days=400, status="parked") for _ in range(5)]
        for _ in range(5):
            delivery(days=400)
        assert pruned() == (5, 5)
        assert delivery_ids() == {row.pk for row in stays}
        assert Message.objects.count() == 5

    def test_tells_after_each_batch_how_many_went(self) -> None:
        for _ in range(3):
            delivery(days=40)
            message(days=400)
        steps: list[int] = []
        prune(at=timezone.now(), progress=steps.append)
        assert sum(steps) == 6
        assert max(steps) == 2

    def test_stops_between_two_batches_and_goes_on_next_time(self) -> None:
        for _ in range(5):
            delivery(days=40)
        steps: list[int] = []
        outcome = prune(at=timezone.now(), stop=lambda: len(steps) == 1, progress=steps.append)
        assert outcome == Pruned(deliveries=2, messages=0, finished=False)
        assert Delivery.objects.count() == 3
        assert pruned() == (3, 0)

    def test_ends_where_everything_is_young(self) -> None:
        for _ in range(3):
            delivery(days=40)
        for _ in range(9):
            delivery(days=1)
        steps: list[int] = []
        prune(at=timezone.now(), progress=steps.append)
        assert sum(steps) == 3
        assert len(steps) <= 3


class TestPruneNow:
    def test_prunes_at_this_moment(self) -> None:
        delivery(days=31)
        prune_now()
        assert not Delivery.objects.exists()

    def test_stops_when_its_time_is_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pruning, "RUN_SECONDS", -1)
        delivery(days=31)
        prune_now()
        assert Delivery.objects.exists()


class TestCountPrunable:
    def test_changes_nothing(self) -> None:
        delivery(days=400)
        rows = [list(Delivery.objects.values()), list(Message.objects.values())]
        assert count_prunable(at=aged.ago(0)) == Pruned(deliveries=1, messages=1)
        assert [list(Delivery.objects.values()), list(Message.objects.values())] == rows

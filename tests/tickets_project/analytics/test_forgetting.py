"""Forgetting which messages were counted, once the messages are pruned."""

from datetime import datetime, timedelta
from importlib import import_module
from pydoc import locate
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from tests.factories import MessageFactory
from tests.tickets_project.analytics.counted import DAY, published, sold, totals
from tickets_project.analytics import forgetting
from tickets_project.analytics.forgetting import forget_pruned
from tickets_project.analytics.models import CountedMessage, Kind
from tickets_project.analytics.services import count
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db

NOW = timezone.now()
MIGRATION = import_module("tickets_project.analytics.migrations.0002_schedule_forgetting")


@pytest.fixture(autouse=True)
def _retention(settings: Settings) -> None:
    settings.OUTBOX_KEEP_MESSAGES_DAYS = 365


def message_id(*, days: float, number: int = 0) -> UUID:
    """Return an id as a message has that was published so many days ago."""
    moment: datetime = NOW - timedelta(days=days)
    return UUID(int=(int(moment.timestamp() * 1000) << 80) + number + 1)


def counted(pk: UUID, *kinds: Kind) -> UUID:
    for kind in kinds or (Kind.BOOKED,):
        count(message_id=pk, kind=kind, on=DAY, money=None)
    return pk


def left() -> set[UUID]:
    return set(CountedMessage.objects.values_list("message_id", flat=True))


@pytest.mark.usefixtures("counting")
class TestForgetPruned:
    def test_forgets_each_kind_of_a_pruned_message_and_leaves_the_totals(self) -> None:
        counted(message_id(days=366), Kind.CONFIRMED, Kind.REVENUE)
        before = totals()
        assert forget_pruned(at=NOW) == 2
        assert left() == set()
        assert totals() == before

    def test_remembers_those_that_may_be_delivered_again(self) -> None:
        kept = message_id(days=400)
        MessageFactory.create(id=kept)
        assert {counted(kept), counted(message_id(days=364))} == left()
        assert forget_pruned(at=NOW) == 0
        assert len(left()) == 2

    def test_goes_on_past_one_batch_and_what_stays_in_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(forgetting, "BATCH", 2)
        ids = [message_id(days=400, number=number) for number in range(7)]
        for pk in ids[:3]:
            MessageFactory.create(id=pk)
        for pk in ids:
            counted(pk, Kind.CONFIRMED, Kind.REVENUE)
        assert forget_pruned(at=NOW) == 8
        assert left() == set(ids[:3])

    def test_knows_by_its_id_when_a_message_was_published(self) -> None:
        published(sold())
        message = Message.objects.get()
        second = timedelta(seconds=1)
        first, last = (forgetting._first_id_of(message.published_at + ago) for ago in (-second, second))
        assert first < message.id < last

    def test_remembers_all_while_messages_stay_for_ever(self, settings: Settings) -> None:
        settings.OUTBOX_KEEP_MESSAGES_DAYS = 0
        counted(message_id(days=4000))
        assert forget_pruned(at=NOW) == 0
        assert len(left()) == 1


class TestTheClock:
    def test_forgets_each_day(self) -> None:
        MIGRATION.add(apps, None)
        counted(message_id(days=400))
        schedule = Schedule.objects.get(name="forget counted messages")
        assert schedule.schedule_type == Schedule.DAILY
        function: Any = locate(schedule.func)
        function()
        assert left() == set()

    def test_knows_nothing_of_it_when_the_migration_is_undone(self) -> None:
        ours = Schedule.objects.filter(name=MIGRATION.NAME)
        MIGRATION.remove(apps, None)
        assert not ours.exists()
        MIGRATION.add(apps, None)
        MIGRATION.add(apps, None)
        assert ours.count() == 1

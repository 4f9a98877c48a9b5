"""The trials themselves are sound: what is published takes effect once, and what is done twice would show."""

import pytest
from django.db import transaction

from tests.crash.trial.effects import effects, take_effect
from tests.crash.trial.messages import NotedV1, PaidV1
from tests.processes import eventually, worker
from tickets_project.gateway import payments
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.publishing import publish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]


def test_each_handler_takes_effect_once(trial: str, simulator: Simulator) -> None:
    del simulator
    with transaction.atomic():
        publish(*(NotedV1(number=number) for number in range(20)), *(PaidV1(number=number) for number in range(5)))
    with worker(DJANGO_SETTINGS_MODULE=trial):
        eventually(lambda: not Delivery.objects.exclude(status=Status.DELIVERED).exists(), seconds=30)
    assert effects("trial.note") == effects("trial.note_too") == dict.fromkeys(range(20), 1)
    assert effects("trial.pay") == dict.fromkeys(range(5), 1)
    assert len(payments.refunds()) == 5


def test_what_is_done_twice_shows(trial: str) -> None:
    del trial
    take_effect("trial.note", 1)
    take_effect("trial.note", 1)
    assert effects("trial.note") == {1: 2}

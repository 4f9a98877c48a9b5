"""Repairs by a person, each with its refusals and its record."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import DeliveryFactory
from tests.working import claim_due
from tickets_project.outbox.errors import DeliveryClosed, DeliveryRunning, ReasonMissing
from tickets_project.outbox.models import Delivery, Intervention, Status
from tickets_project.outbox.repairing import discard_delivery, retry_delivery

pytestmark = pytest.mark.django_db(transaction=True)


def retried(delivery: Delivery) -> Delivery:
    return retry_delivery(delivery.pk, by="ann", at=timezone.now(), reason="the service is back")


def discarded(delivery: Delivery) -> Delivery:
    return discard_delivery(delivery.pk, by="ann", at=timezone.now(), reason="made twice")


class TestRetryDelivery:
    def test_makes_a_parked_delivery_due_with_its_attempts_counted_anew(self) -> None:
        parked = DeliveryFactory.create(status="parked", attempts=12, last_error="boom")
        retried(parked)
        parked.refresh_from_db()
        assert (parked.status, parked.attempts, parked.last_error) == ("pending", 0, "boom")
        assert [claim.delivery_id for claim in claim_due()] == [parked.pk]

    def test_makes_a_waiting_delivery_due(self) -> None:
        waiting = DeliveryFactory.create(available_at=timezone.now() + timedelta(hours=1), waiting_since=timezone.now())
        retried(waiting)
        waiting.refresh_from_db()
        assert waiting.available_at <= timezone.now()
        assert waiting.waiting_since is None

    def test_stays_on_record(self) -> None:
        parked = DeliveryFactory.create(status="parked", last_error="boom")
        retried(parked)
        record = Intervention.objects.get()
        assert (record.delivery_id, record.action, record.by) == (parked.pk, "retried", "ann")
        assert (record.reason, record.previous_status, record.previous_error) == (
            "the service is back",
            "parked",
            "boom",
        )


class TestDiscardDelivery:
    @pytest.mark.parametrize("status", ["pending", "parked"])
    def test_closes_it_for_good(self, status: str) -> None:
        delivery = DeliveryFactory.create(status=status)
        discarded(delivery)
        delivery.refresh_from_db()
        assert delivery.status == Status.DISCARDED
        assert claim_due() == []
        assert Intervention.objects.get().reason == "made twice"

    @pytest.mark.parametrize("reason", ["", "  \n"])
    def test_needs_a_reason(self, reason: str) -> None:
        delivery = DeliveryFactory.create(status="parked")
        with pytest.raises(ReasonMissing):
            discard_delivery(delivery.pk, by="ann", at=timezone.now(), reason=reason)
        assert not Intervention.objects.exists()


@pytest.mark.parametrize("repair", [retried, discarded])
class TestEitherRepair:
    def test_is_refused_for_what_is_delivered(self, repair: Callable[[Delivery], Delivery]) -> None:
        delivery = DeliveryFactory.create(status="delivered", delivered_at=timezone.now())
        with pytest.raises(DeliveryClosed) as refusal:
            repair(delivery)
        assert refusal.value.extensions == {"current_status": "delivered"}
        assert not Intervention.objects.exists()

    def test_is_refused_for_what_is_discarded(self, repair: Callable[[Delivery], Delivery]) -> None:
        with pytest.raises(DeliveryClosed):
            repair(DeliveryFactory.create(status="discarded"))

    def test_is_refused_while_a_worker_has_it(self, repair: Callable[[Delivery], Delivery]) -> None:
        delivery = DeliveryFactory.create()
        claim_due()
        with pytest.raises(DeliveryRunning):
            repair(delivery)
        assert not Intervention.objects.exists()

    def test_is_possible_once_the_lease_is_over(self, repair: Callable[[Delivery], Delivery]) -> None:
        delivery = DeliveryFactory.create()
        claim_due(lease=timedelta(0))
        repair(delivery)
        assert Intervention.objects.count() == 1

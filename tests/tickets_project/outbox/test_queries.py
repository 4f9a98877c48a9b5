"""What parked deliveries have in common."""

import traceback
from typing import Any

import pytest

from tests.factories import DeliveryFactory, MessageFactory
from tickets_project.gateway.errors import TemporaryUpstreamError
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.queries import failed_with, parked_groups

pytestmark = pytest.mark.django_db


def parked(error: str, **facts: Any) -> Delivery:
    delivery: Delivery = DeliveryFactory.create(status="parked", last_error=error, **facts)
    return delivery


def told(error: Exception, *, cause: Exception | None = None) -> str:
    try:
        raise error from cause
    except type(error) as raised:
        return "".join(traceback.format_exception(raised))


class TestParkedGroups:
    @pytest.mark.parametrize(
        ("error", "exception"),
        [
            (told(ValueError("no seat")), "ValueError"),
            (told(ValueError()), "ValueError"),
            (told(LookupError("x\nKeyError: z")), "LookupError"),
            (told(RuntimeError("late"), cause=KeyError("first")), "RuntimeError"),
            (told(UnicodeDecodeError("utf-8", b"a", 0, 1, "odd")), "UnicodeDecodeError"),
            ("Waited in vain for 0:15:00: no ticket yet", "NotYet"),
            ("the end of something long", "unknown"),
            ("", "unknown"),
        ],
    )
    def test_go_by_the_class_of_the_last_error(self, error: str, exception: str) -> None:
        parked(error)
        assert [group.exception for group in parked_groups()] == [exception]

    def test_name_the_module_of_a_class(self) -> None:
        parked(told(TemporaryUpstreamError("answered 503")))
        [group] = parked_groups()
        assert group.exception == "tickets_project.gateway.errors.TemporaryUpstreamError"

    def test_count_each_handler_s_from_its_oldest_message(self) -> None:
        first, second = MessageFactory.create(), MessageFactory.create()
        parked("", handler="a", message=first)
        latest = parked("", handler="a", message=second)
        parked("", handler="b", message=first)
        big, small = parked_groups()
        first.refresh_from_db()
        assert (big.handler, big.deliveries, big.since, big.latest_id) == ("a", 2, first.published_at, latest.pk)
        assert (small.handler, small.deliveries) == ("b", 1)


class TestFailedWith:
    def test_takes_the_class_with_its_module_or_without(self) -> None:
        wanted = parked("Traceback (most recent call last):\n  File x\nshop.errors.Closed: today")
        parked("Traceback (most recent call last):\n  File x\nshop.errors.NotClosed: today")
        for name in ("Closed", "shop.errors.Closed"):
            assert list(failed_with(Delivery.objects.all(), name)) == [wanted]

"""Messages to JSON and back, without a database."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.tickets_project.outbox.messages_for_tests import DoIt, Everything, Happened
from tickets_project.outbox.messages import NOT_PUBLISHED, Header, UndecodableMessage
from tickets_project.values import Money

EVERYTHING = Everything(
    thing_id="t1",
    at=datetime(2026, 5, 2, 12, tzinfo=UTC),
    price=Money(amount=Decimal("50.30"), currency="EUR"),
    amount=Decimal("1.50"),
    names=("Ann", "Bob"),
    wanted=True,
    user_id=None,
)
PAYLOAD: dict[str, Any] = {
    "thing_id": "t1",
    "at": "2026-05-02T12:00:00Z",
    "price": {"amount": "50.30", "currency": "EUR"},
    "amount": "1.50",
    "names": ["Ann", "Bob"],
    "wanted": True,
    "user_id": None,
    "reason": None,
}


class TestPayload:
    def test_holds_exactly_the_fields_as_json_values(self) -> None:
        assert EVERYTHING.payload() == PAYLOAD

    def test_says_every_time_in_utc(self) -> None:
        elsewhere = timezone(timedelta(hours=2))
        message = dataclasses.replace(EVERYTHING, at=datetime(2026, 5, 2, 14, tzinfo=elsewhere))
        assert message.payload()["at"] == "2026-05-02T12:00:00Z"

    def test_names_the_aggregate(self) -> None:
        assert (EVERYTHING.aggregate_type, EVERYTHING.aggregate_id) == ("thing", "t1")


class TestFromPayload:
    def test_rebuilds_the_message(self) -> None:
        assert Everything.from_payload(PAYLOAD) == EVERYTHING

    def test_gives_it_its_header(self) -> None:
        header = Header(id="m1", published_at=datetime.now(UTC), idempotency_key="k", correlation_id="c")
        assert Happened.from_payload({"thing_id": "t1"}, header).header is header

    def test_takes_the_default_of_a_field_that_came_later(self) -> None:
        assert Happened.from_payload({"thing_id": "t1"}).number == 0

    def test_ignores_a_field_of_a_later_version(self) -> None:
        assert Happened.from_payload({"thing_id": "t1", "colour": "red"}) == Happened(thing_id="t1")

    @pytest.mark.parametrize(
        "wrong", [{"thing_id": 1}, {"price": "50.30"}, {"at": "noon"}, {"amount": "much"}, {"wanted": "yes"}]
    )
    def test_refuses_a_wrong_type(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(UndecodableMessage, match=f"Everything_v1.*{next(iter(wrong))}"):
            Everything.from_payload(PAYLOAD | wrong)

    def test_refuses_a_missing_field(self) -> None:
        with pytest.raises(UndecodableMessage, match="thing_id"):
            DoIt.from_payload({})


class TestMessage:
    def test_cannot_be_changed(self) -> None:
        message: Any = EVERYTHING
        with pytest.raises(dataclasses.FrozenInstanceError):
            message.wanted = False

    def test_takes_fields_by_name_alone(self) -> None:
        make: Any = DoIt
        with pytest.raises(TypeError):
            make("t1")

    def test_is_equal_whatever_its_header(self) -> None:
        header = Header(id="m1", published_at=datetime.now(UTC), idempotency_key="k", correlation_id="c")
        assert DoIt(thing_id="t1", header=header) == DoIt(thing_id="t1")

    def test_says_that_it_is_not_published(self) -> None:
        assert DoIt(thing_id="t1").header is NOT_PUBLISHED

    def test_knows_its_kind(self) -> None:
        assert (Happened.KIND, DoIt.KIND) == ("event", "command")

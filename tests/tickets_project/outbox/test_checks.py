"""A wrong subscription table stops the start."""

from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.messages_for_tests import DoIt, Happened
from tickets_project.outbox import subscriptions
from tickets_project.outbox.checks import check_retention, check_subscriptions, faults
from tickets_project.outbox.messages import Event
from tickets_project.outbox.subscriptions import Subscription, Subscriptions


def handler(_message: Any) -> None:
    return None


def found(*entries: Subscription[Any], modules: tuple[ModuleType, ...] = (messages_for_tests,)) -> list[str | None]:
    return [fault.id for fault in faults(Subscriptions(*entries, declared_in=modules))]


DO = Subscription(DoIt, "things.do", handler)


class TestFaults:
    def test_finds_none_in_a_right_table(self) -> None:
        assert found(DO, Subscription(Happened, "a", handler), Subscription(Happened, "b", handler)) == []

    def test_finds_a_repeated_key(self) -> None:
        assert found(DO, Subscription(Happened, "a", handler), Subscription(Happened, "a", handler)) == ["outbox.E001"]

    def test_finds_a_name_that_two_messages_share(self) -> None:
        module = ModuleType("twice")

        class Again(Event):
            NAME = "Happened_v1"

        Again.__module__ = "twice"
        module.Again = Again  # type: ignore[attr-defined]
        assert found(DO, modules=(messages_for_tests, module)) == ["outbox.E002"]

    def test_finds_a_command_with_two_handlers(self) -> None:
        assert found(DO, Subscription(DoIt, "things.do_again", handler)) == ["outbox.E003"]

    def test_finds_a_command_without_a_handler(self) -> None:
        assert found() == ["outbox.E003"]

    def test_finds_a_message_that_nobody_declared(self) -> None:
        assert found(Subscription(Happened, "a", handler), modules=()) == ["outbox.E004"]

    def test_finds_a_lock_that_no_field_names(self) -> None:
        assert found(DO, Subscription(Happened, "a", handler, locks_by="thing")) == ["outbox.E005"]
        assert found(DO, Subscription(Happened, "a", handler, locks_by="header_id")) == ["outbox.E005"]

    def test_finds_none_where_the_lock_is_a_field(self) -> None:
        assert found(DO, Subscription(Happened, "a", handler, locks_by="number")) == []


class TestCheckSubscriptions:
    def test_finds_no_fault_in_the_project(self) -> None:
        assert check_subscriptions(None) == []

    def test_refuses_a_setting_that_names_something_else(self, settings: Settings) -> None:
        settings.OUTBOX_SUBSCRIPTIONS = "tickets_project.subscriptions.print_ticket"
        subscriptions._load.cache_clear()
        with pytest.raises(ImproperlyConfigured, match="print_ticket is none"):
            check_subscriptions(None)


class TestCheckRetention:
    @pytest.mark.parametrize(("delivered", "messages"), [(30, 0), (0, 365), (30, 365), (30, 30), (0, 0)])
    def test_finds_nothing_wrong_where_messages_stay_as_long(
        self, settings: Settings, delivered: int, messages: int
    ) -> None:
        settings.OUTBOX_KEEP_DELIVERED_DAYS, settings.OUTBOX_KEEP_MESSAGES_DAYS = delivered, messages
        assert check_retention(None) == []

    def test_finds_deliveries_that_would_outlive_their_messages(self, settings: Settings) -> None:
        settings.OUTBOX_KEEP_DELIVERED_DAYS, settings.OUTBOX_KEEP_MESSAGES_DAYS = 31, 30
        assert [fault.id for fault in check_retention(None)] == ["outbox.E006"]

    def test_finds_a_function_that_is_not_there(self, settings: Settings) -> None:
        settings.OUTBOX_STILL_NEEDED = ["vip_bundles.keeping.nobody"]
        [fault] = check_retention(None)
        assert fault.id == "outbox.E007"
        assert "nobody" in fault.msg

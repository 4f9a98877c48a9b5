"""What is written while a delivery is handled: each line names it, whoever writes."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.db import OperationalError, transaction

from tests.processes import eventually
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.dispatchers import all_delivered, dispatching, happen
from tests.tickets_project.outbox.messages_for_tests import Happened
from tests.working import deliver_due
from tickets_project.correlation import Trace, tracing
from tickets_project.logs import logging_config
from tickets_project.outbox.models import Message
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.publishing import publish

pytestmark = pytest.mark.django_db(transaction=True)

# Libraries, Django, and what is ours.
LOGGERS = ("urllib3.connectionpool", "django.db", "bookings.services")

Lines = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Return the lines with this event, as an installation writes them in JSON."""
    before = structlog.get_config()
    form = logging_config("json")["formatters"]["lines"]
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(form.pop("()")(**form))
    logging.getLogger().addHandler(handler)
    yield lambda event: [line for line in map(json.loads, output.getvalue().splitlines()) if line["event"] == event]
    logging.getLogger().removeHandler(handler)
    structlog.configure(**before)


def happen_once(correlation_id: str = "from-the-desk", traceparent: str | None = None) -> Message:
    with tracing(Trace(correlation_id=correlation_id, traceparent=traceparent)), transaction.atomic():
        publish(Happened(thing_id="t1"))
    return Message.objects.latest("sequence")


def say_so(_message: Any) -> None:
    for name in LOGGERS:
        logging.getLogger(name).warning("doing it")
    structlog.get_logger("bookings.services").info("doing it")


def assert_named(line: dict[str, Any], message: Message, handler: str) -> None:
    assert (line["correlation_id"], line["message_id"]) == (message.headers["correlation_id"], str(message.id))
    assert (line["handler"], line["message_type"]) == (handler, "Happened_v1")


def refuse(_message: Any) -> None:
    raise ValueError("no")


def wait(_message: Any) -> None:
    raise NotYet("no seat yet")


def lose_the_database(_message: Any) -> None:
    raise OperationalError("the connection is lost")


class TestLogLines:
    def test_name_the_delivery_in_the_threads_that_call_others(self, caller: Listener, lines: Lines) -> None:
        caller.then = say_so
        message = happen_once()
        with dispatching():
            eventually(all_delivered)
        assert [line["logger"] for line in lines("doing it")] == [*LOGGERS, "bookings.services"]
        for line in [*lines("doing it"), *lines("delivered")]:
            assert_named(line, message, "things.call")

    def test_name_it_while_its_effect_is_recorded(self, caller: Listener, lines: Lines) -> None:
        caller.then = lambda message: lambda: say_so(message)
        message = happen_once()
        with dispatching():
            eventually(all_delivered)
        assert len(lines("doing it")) == 4
        for line in lines("doing it"):
            assert_named(line, message, "things.call")

    def test_name_each_one_of_a_batch_in_its_turn(self, listener: Listener, lines: Lines) -> None:
        listener.then = lambda _message: logging.getLogger("urllib3").warning("doing it")
        happen(5)
        with dispatching():
            eventually(all_delivered)
        ids = {str(message_id) for message_id in Message.objects.values_list("id", flat=True)}
        assert {line["message_id"] for line in lines("doing it")} == ids
        assert {line["handler"] for line in lines("doing it")} == {"things.listen"}

    def test_name_all_of_a_batch_when_it_is_committed(self, listener: Listener, lines: Lines) -> None:
        del listener
        messages = [happen_once("c1"), happen_once("c2")]
        with dispatching():
            eventually(all_delivered)
        [line] = lines("delivered together")
        assert line["message_ids"] == [str(message.id) for message in messages]
        assert (line["correlation_ids"], line["handler"], line["deliveries"]) == (["c1", "c2"], "things.listen", 2)

    @pytest.mark.parametrize(("then", "event"), [(refuse, "failed"), (wait, "not yet"), (lose_the_database, "failed")])
    def test_name_it_when_it_is_not_delivered(
        self, listener: Listener, lines: Lines, then: Callable[[Any], None], event: str
    ) -> None:
        listener.then = then
        message = happen_once()
        deliver_due()
        [line] = lines(event)
        assert_named(line, message, "things.listen")

    def test_name_the_trace_of_the_request_that_it_follows_from(self, listener: Listener, lines: Lines) -> None:
        listener.then = refuse
        happen_once(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        deliver_due()
        assert [line["trace_id"] for line in lines("failed")] == ["4bf92f3577b34da6a3ce929d0e0e4736"]

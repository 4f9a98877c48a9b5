"""Tracker sheets against the simulated service, which appends every row that it is sent."""

from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from bookings.events import TicketBookingCanceledV1, TicketBookingConfirmedV1
from bookings.handlers.tracker import TO_PRINT, TO_REFUND, track_to_print, track_to_refund
from bookings.models import TrackerRow
from bookings.services import tracking
from tests.bookings.money import Calls, Fault, UseTable, deliver_now, meanwhile, only, statuses, tell, wait_for
from tests.bookings.threads import at_once
from tickets_project.gateway import spreadsheets
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError, UpstreamError
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.repairing import retry_delivery
from tickets_project.outbox.subscriptions import Subscription
from tickets_project.values import Money

TICKET = "0b6d1f3e-8a65-4c0c-9d55-5a3f0f9f1c11"
PRICE = Money(amount=Decimal("50.3"), currency="EUR")
CONFIRMED = TicketBookingConfirmedV1(
    ticket_id=TICKET, customer_email="ada@customers.example", price=PRICE, booking_id=str(uuid4())
)
CANCELED = TicketBookingCanceledV1(ticket_id=TICKET, customer_email="ada@customers.example", price=PRICE)
ROW = [TICKET, "ada@customers.example", "50.30", "EUR"]
TABLE = only(
    Subscription(TicketBookingConfirmedV1, "bookings.track_to_print", track_to_print, external=True),
    Subscription(TicketBookingCanceledV1, "bookings.track_to_refund", track_to_refund, external=True),
)


def record() -> None:
    recording = track_to_print(CONFIRMED)
    assert recording is not None
    recording()


def let_time_pass() -> None:
    """Let the time go by in which an attempt without an answer may still have its effect."""
    for row in TrackerRow.objects.all():
        row.asked_at -= timedelta(minutes=1)
        row.save()


@pytest.mark.usefixtures("simulator")
@pytest.mark.django_db
class TestTrackToPrint:
    def test_appends_the_ticket(self) -> None:
        record()
        assert spreadsheets.rows(TO_PRINT) == [ROW]
        row = TrackerRow.objects.get()
        assert (row.ticket_id, row.sheet) == (UUID(TICKET), "tickets-to-print")
        assert row.appended_at is not None

    def test_notes_the_row_before_it_is_sent_and_that_it_is_there_afterwards(self) -> None:
        assert track_to_print(CONFIRMED)
        assert spreadsheets.rows(TO_PRINT) == [ROW]
        assert TrackerRow.objects.get().appended_at is None

    def test_does_nothing_for_what_is_there(self, calls: Calls) -> None:
        record()
        assert track_to_print(CONFIRMED) is None
        assert (len(calls("spreadsheets.append")), calls("spreadsheets.rows")) == (1, [])

    @pytest.mark.parametrize("status", [500, 503, 403])
    def test_reads_the_sheet_at_once_after_an_answer_that_refuses(
        self, fault: Fault, calls: Calls, status: int
    ) -> None:
        fault("spreadsheets.append", status=status)
        with pytest.raises(PermanentUpstreamError if status == 403 else TemporaryUpstreamError):
            track_to_print(CONFIRMED)
        record()
        assert spreadsheets.rows(TO_PRINT) == [ROW]
        assert len(calls("spreadsheets.append")) == 2

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize("answered", [{"drop": "before"}, {"drop": "after"}, {"delay_ms": 4000}])
    def test_waits_after_no_answer_and_then_reads_the_sheet(self, fault: Fault, answered: dict[str, object]) -> None:
        fault("spreadsheets.append", **answered)
        with pytest.raises(TemporaryUpstreamError):
            track_to_print(CONFIRMED)
        with pytest.raises(NotYet, match="may still append"):
            track_to_print(CONFIRMED)
        let_time_pass()
        record()
        assert spreadsheets.rows(TO_PRINT) == [ROW]
        assert track_to_print(CONFIRMED) is None

    def test_appends_nothing_while_the_sheet_cannot_be_read(self, fault: Fault, calls: Calls) -> None:
        fault("spreadsheets.append", drop="after")
        fault("spreadsheets.rows", status=500)
        with pytest.raises(TemporaryUpstreamError):
            track_to_print(CONFIRMED)
        let_time_pass()
        with pytest.raises(TemporaryUpstreamError):
            track_to_print(CONFIRMED)
        record()
        assert len(calls("spreadsheets.append")) == 1

    def test_is_not_mistaken_for_another_ticket(self) -> None:
        """Nor does it mind what people write into a sheet."""
        for columns in (["", TICKET], [TICKET[:-1] + "2", "x", "1.00", "EUR"]):
            spreadsheets.append_row(sheet=TO_PRINT, columns=columns)
        tracking.note_row(ticket_id=UUID(TICKET), sheet=TO_PRINT, at=timezone.now() - timedelta(minutes=1))
        record()
        assert spreadsheets.rows(TO_PRINT)[-1] == ROW

    def test_waits_when_another_attempt_was_faster(self, monkeypatch: pytest.MonkeyPatch) -> None:
        row, _ = tracking.note_row(ticket_id=UUID(TICKET), sheet=TO_PRINT, at=timezone.now() - timedelta(minutes=1))

        def slow_reading(_sheet: str) -> list[list[str]]:
            assert tracking.take_over(row, at=timezone.now())
            return []

        monkeypatch.setattr(spreadsheets, "rows", slow_reading)
        with pytest.raises(NotYet, match="appends"):
            track_to_print(CONFIRMED)


@pytest.mark.usefixtures("simulator")
@pytest.mark.django_db
class TestTrackToRefund:
    def test_appends_to_a_sheet_of_its_own(self) -> None:
        record()
        recording = track_to_refund(CANCELED)
        assert recording
        recording()
        assert spreadsheets.rows(TO_PRINT) == spreadsheets.rows(TO_REFUND) == [ROW]
        assert track_to_refund(CANCELED) is None
        assert TrackerRow.objects.filter(sheet="tickets-to-refund").count() == 1


@pytest.mark.usefixtures("simulator")
@pytest.mark.django_db(transaction=True)
class TestTrackingDelivered:
    @pytest.fixture(autouse=True)
    def _table(self, table: UseTable) -> None:
        table(TABLE)

    def test_appends_once_for_messages_that_come_twice_in_any_order(self) -> None:
        tell(CANCELED, CONFIRMED, CANCELED, CONFIRMED)
        for _ in range(3):
            deliver_now()
        assert set(statuses()) == {"delivered"}
        assert spreadsheets.rows(TO_PRINT) == spreadsheets.rows(TO_REFUND) == [ROW]

    def test_appends_once_for_two_messages_at_the_same_time(self, fault: Fault, calls: Calls) -> None:
        fault("spreadsheets.append", delay_ms=300)
        tell(CONFIRMED)
        with meanwhile(deliver_now):
            wait_for(calls, "spreadsheets.append")
            tell(CONFIRMED)
            deliver_now()
            assert statuses() == ["pending", "pending"]
        deliver_now()
        assert statuses() == ["delivered", "delivered"]
        assert spreadsheets.rows(TO_PRINT) == [ROW]

    @pytest.mark.parametrize(
        "faults",
        [
            [{"status": 500}, {"status": 500}, {"drop": "after"}],
            [{"drop": "before"}, {"status": 500}],
            [{"drop": "after"}],
            [{"status": 429}, {"drop": "before"}, {"drop": "before"}],
        ],
    )
    def test_appends_once_whatever_happens(self, fault: Fault, faults: list[dict[str, object]]) -> None:
        for answered in faults:
            fault("spreadsheets.append", **answered)
        fault("spreadsheets.rows", status=500)
        tell(CONFIRMED, CONFIRMED)
        for _ in range(9):
            deliver_now()
            let_time_pass()
        assert statuses() == ["delivered", "delivered"]
        assert spreadsheets.rows(TO_PRINT) == [ROW]

    def test_is_parked_after_a_refusal_and_appended_when_retried(self, fault: Fault) -> None:
        fault("spreadsheets.append", status=401)
        tell(CONFIRMED)
        deliver_now()
        assert statuses() == ["parked"]
        retry_delivery(Delivery.objects.get().pk, by="ann", at=timezone.now())
        deliver_now()
        assert spreadsheets.rows(TO_PRINT) == [ROW]


@pytest.mark.usefixtures("simulator")
@pytest.mark.django_db(transaction=True)
class TestTrackingConcurrency:
    ATTEMPTS = 8

    def attempt(self) -> bool:
        try:
            recording = track_to_print(CONFIRMED)
        except (NotYet, UpstreamError):
            return False
        if recording:
            recording()
        return True

    def test_would_append_again_and_again_if_all_that_saw_a_row_might(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next test would fail if nobody had to take the row over."""
        together = Barrier(self.ATTEMPTS)
        read = spreadsheets.rows

        def read_before_anybody_writes(sheet: str) -> list[list[str]]:
            found = read(sheet)
            together.wait(30)
            return found

        monkeypatch.setattr(spreadsheets, "rows", read_before_anybody_writes)
        monkeypatch.setattr(tracking, "take_over", lambda _row, **_: True)
        tracking.note_row(ticket_id=UUID(TICKET), sheet=TO_PRINT, at=timezone.now() - timedelta(minutes=1))
        at_once([self.attempt] * self.ATTEMPTS)
        assert read(TO_PRINT) == [ROW] * self.ATTEMPTS

    @pytest.mark.parametrize("was_noted", [True, False])
    def test_appends_once(self, *, was_noted: bool) -> None:
        if was_noted:
            tracking.note_row(ticket_id=UUID(TICKET), sheet=TO_PRINT, at=timezone.now() - timedelta(minutes=1))
        done = at_once([self.attempt] * self.ATTEMPTS)
        assert any(done)
        assert spreadsheets.rows(TO_PRINT) == [ROW]

"""Reminders: whom, when, and how often."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from bookings.models import Booking
from bookings.schedules import send_reminders
from bookings.services import cancel_booking, change_show
from bookings.services.reminding import remind
from tests.bookings.due import DAY, HOUR, REMIND, SECOND, confirmed, pending, refusing, reminders
from tests.bookings.published import payloads
from tests.factories import NOON, show_of, staff_act
from tickets_project.audit.acts import Act
from tickets_project.notifications.models import Notification

pytestmark = pytest.mark.django_db


class TestSendReminders:
    def test_reminds_a_day_before(self) -> None:
        booking = confirmed(starts=NOON, at=NOON - 9 * DAY)
        assert [send_reminders(at=NOON - DAY + second * SECOND) for second in (-1, 0, 1)] == [0, 1, 0]
        booking.refresh_from_db()
        assert (booking.day_reminder_at, booking.hour_reminder_at) == (NOON - DAY, None)
        assert reminders() == [(str(booking.id), 24)]

    def test_reminds_an_hour_before(self) -> None:
        booking = confirmed(starts=NOON, at=NOON - 9 * DAY)
        send_reminders(at=NOON - DAY)
        assert [send_reminders(at=NOON - HOUR + second * SECOND) for second in (-1, 0, 1)] == [0, 1, 0]
        booking.refresh_from_db()
        assert (booking.day_reminder_at, booking.hour_reminder_at) == (NOON - DAY, NOON - HOUR)
        assert reminders() == [(str(booking.id), 24), (str(booking.id), 1)]

    def test_sends_one_mail_to_the_customer(self, ada: User) -> None:
        booking = confirmed(starts=NOON, at=NOON - 9 * DAY, owner=ada)
        sent = len(payloads("SendNotification"))
        send_reminders(at=NOON - DAY)
        [notice] = Notification.objects.filter(template="booking_reminder")
        assert (notice.recipient, notice.email, notice.created_at) == (ada, ada.email, NOON - DAY)
        assert notice.context["confirmation_code"] == booking.confirmation_code
        [command] = payloads("SendNotification")[sent:]
        assert command["notification_id"] == str(notice.id)

    @pytest.mark.parametrize(
        ("before_start", "hours"), [(HOUR + SECOND, [24]), (HOUR, [1]), (SECOND, [1]), (timedelta(0), [])]
    )
    def test_makes_up_for_an_outage_while_it_is_of_use(self, before_start: timedelta, hours: list[int]) -> None:
        confirmed(starts=NOON, at=NOON - 9 * DAY)
        send_reminders(at=NOON - before_start)
        assert [hours_before for _, hours_before in reminders()] == hours

    @pytest.mark.parametrize(
        ("confirmed_before", "hours"),
        [(DAY, [24, 1]), (DAY - SECOND, [1]), (HOUR, [1]), (HOUR - SECOND, [])],
    )
    def test_reminds_nobody_of_what_was_just_booked(self, confirmed_before: timedelta, hours: list[int]) -> None:
        confirmed(starts=NOON, at=NOON - 9 * DAY, confirmed_at=NOON - confirmed_before)
        for before_start in (DAY, DAY - SECOND, 2 * HOUR, HOUR, HOUR - SECOND, SECOND):
            if before_start <= confirmed_before:
                send_reminders(at=NOON - before_start)
        assert [hours_before for _, hours_before in reminders()] == hours

    def test_reminds_anew_when_the_show_is_moved(self) -> None:
        booking = confirmed(starts=NOON, at=NOON - 9 * DAY)
        send_reminders(at=NOON - DAY)
        change_show(show_id=show_of(booking).id, act=staff_act(), start_time=NOON + 2 * DAY)
        assert [send_reminders(at=NOON + at) for at in (-HOUR, DAY - SECOND, DAY, 2 * DAY - HOUR)] == [0, 0, 1, 1]
        assert [hours for _, hours in reminders()] == [24, 24, 1]

    def test_reminds_nobody_of_what_is_not_confirmed(self) -> None:
        pending(starts=NOON, at=NOON - 9 * DAY)
        cancelled = confirmed(starts=NOON, at=NOON - 9 * DAY)
        cancel_booking(booking_id=cancelled.id, act=staff_act(at=NOON - 2 * DAY))
        assert send_reminders(at=NOON - DAY) == send_reminders(at=NOON - HOUR) == 0


class TestRemind:
    def test_answers_whether_it_did(self) -> None:
        booking = confirmed(starts=NOON, at=NOON - 9 * DAY)
        act = Act(at=NOON - DAY, automatic="schedule")
        assert remind(booking_id=booking.id, act=act, hours_before=1) is False
        assert remind(booking_id=booking.id, act=act, hours_before=24) is True
        assert remind(booking_id=booking.id, act=act, hours_before=24) is False

    def test_notes_nothing_when_the_notice_fails(self) -> None:
        booking = confirmed(starts=NOON, at=NOON - 9 * DAY)
        with refusing(REMIND), pytest.raises(Exception, match="broken"):
            remind(booking_id=booking.id, act=Act(at=NOON - DAY), hours_before=24)
        assert reminders() == []

    def test_needs_a_booking(self) -> None:
        with pytest.raises(Booking.DoesNotExist):
            remind(booking_id=uuid4(), act=Act(at=NOON), hours_before=24)

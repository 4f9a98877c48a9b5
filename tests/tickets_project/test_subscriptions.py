"""The project's subscription table."""

import io

from django.core.management import call_command

from bookings.events import TicketBookingCanceledV1
from tickets_project.subscriptions import SUBSCRIPTIONS

# The process messages that are told so far, and who must hear each.
HEARD = {"TicketBookingConfirmed_v1": "printing.print_ticket", "TicketPrinted_v1": "bookings.record_printed"}
TOLD = {
    "booking.created",
    "booking.confirmation_requested",
    "booking.confirmed",
    "ticket.created",
    "BookingMade_v1",
    "TicketBookingConfirmed_v1",
    "TicketBookingCanceled_v1",
    "TicketPrinted_v1",
}


class TestSubscriptions:
    def test_pass_the_system_checks(self) -> None:
        report = io.StringIO()
        call_command("check", stdout=report)
        assert "no issues" in report.getvalue()

    def test_declare_what_is_told(self) -> None:
        assert set(SUBSCRIPTIONS.names()) >= TOLD

    def test_let_each_be_heard_by_those_who_act_on_it(self) -> None:
        for name, key in HEARD.items():
            assert key in [subscription.key for subscription in SUBSCRIPTIONS.of(name)]

    def test_keep_network_calls_out_of_transactions(self) -> None:
        assert SUBSCRIPTIONS.by_key("printing.print_ticket").external
        assert not SUBSCRIPTIONS.by_key("bookings.record_printed").external

    def test_let_printing_ignore_a_cancelled_ticket(self) -> None:
        heard = SUBSCRIPTIONS.of(TicketBookingCanceledV1.NAME)
        assert not [subscription for subscription in heard if subscription.key.startswith("printing.")]

"""BookShowTickets repeated after its failure, when seats are free: it books, and the bundle gives all of it back."""

from uuid import uuid4

import pytest

from bookings.models import Booking, Show
from bookings.services import cancel_booking
from tests.bookings.money import deliver_now
from tests.bookings.published import payloads
from tests.bookings.show_tickets import hear_of, held
from tests.factories import ShowFactory, made_bundle, pending_booking, staff_act
from tests.working import deliver_due
from tickets_project.gateway import payments
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.replaying import Selection, plan_replay, replay
from vip_bundles.models import VipBundle

KEY = "bookings.book_show_tickets"
SEATS = 3


def deliver_everything() -> None:
    """Deliver what is open, its wait over or not, and what follows from it."""
    for _ in range(20):
        deliver_now()
        left = list(Delivery.objects.exclude(status=Status.DELIVERED).values("handler", "status", "last_error"))
        if not left:
            return
    raise AssertionError(left)


def failed_bundle(show: Show) -> VipBundle:
    """Return a bundle that found the show full, with all seats free since."""
    other = pending_booking(show=show, seats=1)
    bundle = made_bundle(show=show, tickets=SEATS)
    deliver_everything()
    cancel_booking(booking_id=other.id, act=staff_act())
    bundle = VipBundle.objects.get(id=bundle.id)
    assert (bundle.state, Booking.objects.filter(id=bundle.booking_id).count(), held(show)) == ("failed", 0, 0)
    return bundle


def repeat_the_command(bundle: VipBundle) -> Booking:
    assert replay(plan_replay(Selection(handlers=(KEY,))), by="ann", reason="why not") == 1
    deliver_due(KEY)
    return Booking.objects.get(id=bundle.booking_id)


def assert_taken_back(booking: Booking) -> None:
    """The booking ended, its tickets' money is back, no seat is held, and the bundle failed once."""
    booking.refresh_from_db()
    assert (booking.status, Show.objects.get(bookings=booking).seats_held) == ("cancelled", 0)
    tickets = {str(ticket.id): ticket.status for ticket in booking.tickets.all()}
    assert list(tickets.values()) == ["cancelled"] * SEATS
    assert sorted(refund.payment_reference for refund in payments.refunds()) == sorted(tickets)
    assert len(payloads("RefundTicket")) == len(payloads("TicketRefunded_v1")) == SEATS
    assert [message["success"] for message in payloads("VipBundleFinalized_v1")] == [False]
    assert VipBundle.objects.get(booking_id=booking.id).state == "failed"


@pytest.mark.usefixtures("simulator")
@pytest.mark.django_db(transaction=True)
class TestBookShowTickets:
    def test_is_taken_back_ticket_by_ticket(self) -> None:
        booking = repeat_the_command(failed_bundle(ShowFactory.create(number_of_tickets=SEATS)))
        assert booking.status == "confirmed"
        deliver_everything()
        assert_taken_back(booking)

    def test_is_taken_back_once_the_vendor_confirms(self) -> None:
        booking = repeat_the_command(failed_bundle(ShowFactory.create(number_of_tickets=SEATS, dead_nation_id=uuid4())))
        deliver_everything()
        booking.refresh_from_db()
        assert booking.status == "pending"
        hear_of(booking, tickets=SEATS)
        deliver_everything()
        assert_taken_back(booking)

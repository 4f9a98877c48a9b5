"""Refunds: what is paid back, by whom, and never more than was paid."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.utils import timezone

from bookings.errors import NothingToRefund, RefundAlreadyRequested, RefundAmountTooHigh, RefundNotManual
from bookings.models import Booking, Receipt, Refund, RefundState, Ticket, TicketType
from bookings.services import (
    activate_ticket,
    cancel_booking,
    expire_ticket,
    mark_paid,
    refund_preview,
    request_refund,
    scan,
)
from bookings.services.cancelling import cancel_ticket
from bookings.services.refunding import begin_refund, record_refunded, record_refused, record_voided
from tests.bookings.published import names, payload, payloads
from tests.bookings.tickets import unbooked_ticket
from tests.factories import ShowFactory, confirmed_booking, only_ticket, owner_act, pending_booking, staff_act
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.notifications.models import Notification
from tickets_project.refusals import DomainError

pytestmark = pytest.mark.django_db

Ask = Callable[[], object]


def now() -> Act:
    return Act(at=timezone.now(), automatic="refunds")


def late(booking: Booking, *, hours: int = 10) -> Act:
    """Return what the owner does so many hours before the start."""
    return owner_act(booking, at=booking.start_time - timedelta(hours=hours))


def paid(**facts: Any) -> Booking:
    """Return a confirmed booking of two seats at ten euros."""
    return confirmed_booking(**facts)


def vendor_booking(*prices: str, seats: int = 2, currency: str = "EUR") -> Booking:
    """Return a booking whose tickets the vendor made, at its own prices."""
    show = ShowFactory.create(dead_nation_id=uuid4())
    booking = pending_booking(show=show, seats=seats)
    for price in prices:
        Ticket.of(booking, created_at=timezone.now(), price_amount=Decimal(price), price_currency=currency).save()
    return booking


def tickets_of(booking: Booking) -> list[Ticket]:
    return list(Ticket.objects.filter(booking=booking).order_by("id"))


def use(ticket: Ticket) -> None:
    """Let the ticket's holder in."""
    activate_ticket(ticket_id=ticket.id, act=staff_act(), code=None)
    doors = ticket.booking.valid_from if ticket.booking else timezone.now()
    scan(code=ticket.redemption_code, act=staff_act(at=doors), location="", nonce=None)


def amounts() -> list[tuple[str, Decimal]]:
    return sorted(Refund.objects.values_list("status", "amount"))


def settle(refund: Refund, status: str) -> None:
    """Bring a refund to a state as the handler does."""
    if status == RefundState.RECEIPT_VOIDED:
        record_voided(refund_id=refund.id, act=now())
    elif status == RefundState.REFUNDED:
        record_refunded(refund_id=refund.id, act=now())
    elif status == RefundState.FAILED:
        record_refused(refund_id=refund.id, act=now().because("answered 403"))
    refund.refresh_from_db()


class TestRequestRefund:
    def test_sends_the_whole_price_back_in_time(self) -> None:
        booking = paid()
        ticket, other = tickets_of(booking)
        refund = request_refund(ticket_id=ticket.id, act=owner_act(booking, reason="ill"))
        assert (refund.status, refund.amount, refund.currency) == ("requested", Decimal("10.00"), "EUR")
        assert (refund.booking, refund.ticket, refund.reason) == (booking, ticket, "ill")
        assert payload("RefundTicket") == {"ticket_id": str(ticket.id)}
        other.refresh_from_db()
        assert other.status == "pending"

    def test_cancels_the_ticket_and_frees_its_seat(self) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        request_refund(ticket_id=ticket.id, act=owner_act(booking))
        booking.refresh_from_db()
        assert (booking.status, booking.seats_held, booking.show and booking.show.seats_held) == ("confirmed", 1, 1)
        assert payload("ticket.cancelled")["refund_amount"] == "10.00"
        assert payload("TicketBookingCanceled_v1")["ticket_id"] == str(ticket.id)

    def test_of_the_last_ticket_ends_its_booking(self) -> None:
        booking = paid()
        for ticket in tickets_of(booking):
            request_refund(ticket_id=ticket.id, act=owner_act(booking))
        booking.refresh_from_db()
        assert (booking.status, booking.refund_amount) == ("cancelled", Decimal("20.00"))

    def test_leaves_a_part_to_a_person(self) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        refund = request_refund(ticket_id=ticket.id, act=late(booking))
        assert (refund.status, refund.amount) == ("manual", Decimal("5.00"))
        assert "RefundTicket" not in names()

    def test_is_refused_too_late_and_leaves_no_trace(self) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        with pytest.raises(NothingToRefund) as refusal:
            request_refund(ticket_id=ticket.id, act=late(booking, hours=5))
        assert refusal.value.extensions == {"current_status": "pending"}
        ticket.refresh_from_db()
        assert (ticket.status, Refund.objects.count()) == ("pending", 0)

    def test_by_staff_is_whole_at_any_time(self) -> None:
        booking = paid()
        act = staff_act(at=booking.start_time + timedelta(days=1))
        assert request_refund(ticket_id=tickets_of(booking)[0].id, act=act).status == "requested"

    @pytest.mark.parametrize("status", ["requested", "receipt_voided", "refunded", "manual", "paid"])
    def test_of_what_is_on_its_way_is_refused(self, status: str) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        act = late(booking) if status in {"manual", "paid"} else owner_act(booking)
        refund = request_refund(ticket_id=ticket.id, act=act)
        settle(refund, status)
        if status == "paid":
            mark_paid(refund_id=refund.id, act=staff_act())
        with pytest.raises(RefundAlreadyRequested) as refusal:
            request_refund(ticket_id=ticket.id, act=staff_act())
        assert refusal.value.extensions == {"current_status": status}
        assert Refund.objects.count() == 1

    def test_of_a_failed_one_tries_the_same_again(self) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        refund = request_refund(ticket_id=ticket.id, act=owner_act(booking))
        settle(refund, "failed")
        assert request_refund(ticket_id=ticket.id, act=late(booking, hours=1)) == refund
        refund.refresh_from_db()
        assert (refund.status, refund.failure, len(payloads("RefundTicket"))) == ("requested", "", 2)

    def test_of_an_unknown_ticket_is_refused(self) -> None:
        with pytest.raises(Ticket.DoesNotExist):
            request_refund(ticket_id=uuid4(), act=staff_act())

    def test_of_a_used_ticket_takes_staff(self) -> None:
        booking = paid(seats=1)
        ticket = only_ticket(booking)
        use(ticket)
        with pytest.raises(NothingToRefund):
            request_refund(ticket_id=ticket.id, act=owner_act(booking))
        assert request_refund(ticket_id=ticket.id, act=staff_act()).amount == Decimal("10.00")
        ticket.refresh_from_db()
        assert ticket.status == "redeemed"

    def test_of_a_cancelled_ticket_takes_staff(self) -> None:
        """People look after what the vendor cancels: it is in the sheet of tickets to refund."""
        ticket, _ = tickets_of(booking := vendor_booking("8.00", "8.00"))
        cancel_ticket(ticket, staff_act())
        with pytest.raises(NothingToRefund):
            request_refund(ticket_id=ticket.id, act=owner_act(booking))
        assert request_refund(ticket_id=ticket.id, act=staff_act()).amount == Decimal("8.00")

    def test_of_a_ticket_without_booking_takes_staff(self) -> None:
        ticket = tickets_of(vendor_booking("8.00"))[0]
        Ticket.objects.filter(id=ticket.id).update(booking=None)
        with pytest.raises(NothingToRefund):
            request_refund(ticket_id=ticket.id, act=Act(at=timezone.now()))
        refund = request_refund(ticket_id=ticket.id, act=staff_act())
        assert (refund.booking, refund.amount, refund.status) == (None, Decimal("8.00"), "requested")

    def test_of_a_cancelled_booking_takes_staff(self) -> None:
        """What its customer gets was decided when it was cancelled."""
        booking = paid()
        cancel_booking(booking_id=booking.id, act=late(booking))
        ticket, other = tickets_of(booking)
        with pytest.raises(NothingToRefund):
            request_refund(ticket_id=ticket.id, act=late(booking))
        request_refund(ticket_id=ticket.id, act=staff_act())
        with pytest.raises(NothingToRefund):
            request_refund(ticket_id=other.id, act=staff_act())
        assert amounts() == [("manual", Decimal("10.00")), ("requested", Decimal("10.00"))]

    def test_of_an_expired_ticket_of_a_cancelled_booking_takes_staff(self) -> None:
        booking = paid(seats=1)
        ticket = only_ticket(booking)
        activate_ticket(ticket_id=ticket.id, act=staff_act(), code=None)
        Ticket.objects.filter(id=ticket.id).update(valid_until=timezone.now())
        expire_ticket(ticket_id=ticket.id, act=now())
        cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=Decimal("1.00"))
        with pytest.raises(NothingToRefund):
            request_refund(ticket_id=ticket.id, act=owner_act(booking))
        assert request_refund(ticket_id=ticket.id, act=staff_act()).amount == Decimal("9.00")

    def test_gives_what_is_left_when_that_is_less(self) -> None:
        booking = paid()
        cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=Decimal("17.50"))
        refund = request_refund(ticket_id=tickets_of(booking)[0].id, act=staff_act())
        assert (refund.status, refund.amount) == ("manual", Decimal("2.50"))

    def test_is_on_record(self) -> None:
        booking = paid()
        act = staff_act(reason="goodwill")
        refund = request_refund(ticket_id=tickets_of(booking)[0].id, act=act)
        entry = AuditEntry.objects.get(subject_id=str(refund.id))
        assert (entry.action, entry.new, entry.by, entry.reason) == (
            "refund_requested",
            "requested",
            act.by,
            "goodwill",
        )
        assert entry.details == {"amount": "10.00"}


class TestBeginRefund:
    def test_returns_what_was_requested(self) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        refund = request_refund(ticket_id=ticket.id, act=owner_act(booking, reason="ill"))
        assert begin_refund(ticket_id=ticket.id, act=now()) == refund
        assert Refund.objects.count() == len(payloads("ticket.cancelled")) == 1

    def test_makes_one_when_nobody_asked_and_cancels_the_ticket(self) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        first, second = (begin_refund(ticket_id=ticket.id, act=now()) for _ in range(2))
        assert first is not None
        assert first == second
        assert (first.status, first.amount, first.requested_by) == ("requested", Decimal("10.00"), "refunds")
        ticket.refresh_from_db()
        assert ticket.status == "cancelled"
        assert payloads("RefundTicket") == []

    def test_tries_a_failed_one_again(self) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        settle(request_refund(ticket_id=ticket.id, act=owner_act(booking)), "failed")
        refund = begin_refund(ticket_id=ticket.id, act=now())
        assert refund is not None
        assert (refund.status, Refund.objects.get().status) == ("requested", "requested")

    @pytest.mark.parametrize("status", ["refunded", "receipt_voided"])
    def test_leaves_what_is_further(self, status: str) -> None:
        booking = paid()
        ticket = tickets_of(booking)[0]
        settle(request_refund(ticket_id=ticket.id, act=owner_act(booking)), status)
        refund = begin_refund(ticket_id=ticket.id, act=now())
        assert refund is not None
        assert refund.status == status

    def test_leaves_a_part_to_a_person(self) -> None:
        booking = paid()
        cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=Decimal("15.00"))
        refund = begin_refund(ticket_id=tickets_of(booking)[0].id, act=now())
        assert refund is not None
        assert (refund.status, refund.amount) == ("manual", Decimal("5.00"))

    def test_makes_none_when_nothing_is_left(self) -> None:
        booking = paid()
        cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=Decimal("15.00"))
        ticket, other = tickets_of(booking)
        begin_refund(ticket_id=ticket.id, act=now())
        assert begin_refund(ticket_id=other.id, act=now()) is None
        assert amounts() == [("manual", Decimal("5.00")), ("manual", Decimal("15.00"))]

    def test_makes_one_of_a_free_ticket(self) -> None:
        booking = paid(show=ShowFactory.create(price_amount=Decimal(0)), seats=1)
        refund = begin_refund(ticket_id=only_ticket(booking).id, act=now())
        assert refund is not None
        assert (refund.status, refund.amount) == ("requested", Decimal(0))

    def test_of_an_unknown_ticket_is_refused(self) -> None:
        with pytest.raises(Ticket.DoesNotExist):
            begin_refund(ticket_id=uuid4(), act=now())


class TestRecordVoided:
    def test_notes_it_at_the_refund_and_at_the_receipt_once(self) -> None:
        booking = paid(seats=1)
        receipt = Receipt.objects.create(ticket=only_ticket(booking), asked_at=timezone.now(), number="R-1")
        refund = request_refund(ticket_id=receipt.ticket_id, act=owner_act(booking))
        first, second = now(), now()
        for act in (first, second):
            record_voided(refund_id=refund.id, act=act)
        refund.refresh_from_db()
        receipt.refresh_from_db()
        assert (refund.status, receipt.voided_at) == ("receipt_voided", first.at)
        assert AuditEntry.objects.filter(action="refund_receipt_voided").count() == 1


class TestRecordRefunded:
    @pytest.mark.parametrize("status", ["requested", "receipt_voided", "failed"])
    def test_announces_it_and_tells_the_customer_once(self, status: str) -> None:
        booking = paid(seats=1)
        refund = request_refund(ticket_id=only_ticket(booking).id, act=owner_act(booking))
        settle(refund, status)
        first = now()
        for act in (first, now()):
            record_refunded(refund_id=refund.id, act=act)
        refund.refresh_from_db()
        assert (refund.status, refund.finished_at) == ("refunded", first.at)
        assert payload("TicketRefunded_v1") == {"ticket_id": str(refund.ticket_id), "booking_id": str(booking.id)}
        told = Notification.objects.get(template="refund_processed")
        assert (told.context["refund_amount"], told.recipient) == ("10.00", booking.owner)

    def test_names_the_booking_that_only_the_vendor_knows(self) -> None:
        ticket = unbooked_ticket()
        refund = request_refund(ticket_id=ticket.id, act=staff_act())
        record_refunded(refund_id=refund.id, act=now())
        assert payload("TicketRefunded_v1") == {
            "ticket_id": str(ticket.id),
            "booking_id": str(ticket.vendor_booking_id),
        }


class TestRecordRefused:
    @pytest.mark.parametrize("status", ["requested", "receipt_voided"])
    def test_notes_what_the_service_answered(self, status: str) -> None:
        booking = paid(seats=1)
        refund = request_refund(ticket_id=only_ticket(booking).id, act=owner_act(booking))
        settle(refund, status)
        settle(refund, "failed")
        assert (refund.status, refund.failure, refund.finished_at) == ("failed", "answered 403", None)

    def test_leaves_what_was_paid_meanwhile(self) -> None:
        booking = paid(seats=1)
        refund = request_refund(ticket_id=only_ticket(booking).id, act=owner_act(booking))
        settle(refund, "refunded")
        settle(refund, "failed")
        assert (refund.status, refund.failure) == ("refunded", "")


class TestMarkPaid:
    def test_notes_it_and_tells_the_customer(self) -> None:
        booking = paid()
        refund = request_refund(ticket_id=tickets_of(booking)[0].id, act=late(booking))
        act = staff_act()
        mark_paid(refund_id=refund.id, act=act)
        refund.refresh_from_db()
        assert (refund.status, refund.finished_at) == ("paid", act.at)
        assert Notification.objects.get(template="refund_processed").context["refund_amount"] == "5.00"
        assert "TicketRefunded_v1" not in names()

    def test_tells_of_a_booking(self) -> None:
        booking = paid()
        cancel_booking(booking_id=booking.id, act=late(booking))
        mark_paid(refund_id=Refund.objects.get().id, act=staff_act())
        told = Notification.objects.get(template="refund_processed")
        assert (told.context["ticket_id"], told.context["refund_amount"], told.email) == (
            None,
            "10.00",
            booking.customer_email,
        )

    def test_is_refused_a_second_time_and_of_another_kind(self) -> None:
        booking = paid()
        ticket, other = tickets_of(booking)
        manual = request_refund(ticket_id=ticket.id, act=late(booking))
        mark_paid(refund_id=manual.id, act=staff_act())
        automatic = request_refund(ticket_id=other.id, act=staff_act())
        for refund, status in ((manual, "paid"), (automatic, "requested")):
            with pytest.raises(RefundNotManual) as refusal:
                mark_paid(refund_id=refund.id, act=staff_act())
            assert refusal.value.extensions == {"current_status": status}

    def test_of_an_unknown_one_is_refused(self) -> None:
        with pytest.raises(Refund.DoesNotExist):
            mark_paid(refund_id=uuid4(), act=staff_act())


class TestCancelBooking:
    """As far as it is about money."""

    def test_leaves_a_part_of_all_tickets_to_a_person(self) -> None:
        booking = paid()
        cancel_booking(booking_id=booking.id, act=late(booking))
        assert amounts() == [("manual", Decimal("10.00"))]

    def test_gives_the_share_of_what_was_not_refunded_before(self) -> None:
        """Half of one ticket: the other one went back by itself."""
        booking = paid()
        request_refund(ticket_id=tickets_of(booking)[0].id, act=owner_act(booking))
        assert refund_preview(booking, late(booking)) == Decimal("5.00")
        cancel_booking(booking_id=booking.id, act=late(booking))
        assert amounts() == [("manual", Decimal("5.00")), ("requested", Decimal("10.00"))]

    def test_gives_no_second_share_of_a_ticket(self) -> None:
        booking = paid()
        request_refund(ticket_id=tickets_of(booking)[0].id, act=late(booking))
        cancel_booking(booking_id=booking.id, act=late(booking))
        assert amounts() == [("manual", Decimal("5.00")), ("manual", Decimal("5.00"))]

    def test_pays_the_customer_nothing_for_used_tickets(self) -> None:
        booking = paid()
        use(tickets_of(booking)[0])
        assert refund_preview(booking, staff_act()) == Decimal("20.00")
        cancel_booking(booking_id=booking.id, act=owner_act(booking))
        assert amounts() == [("requested", Decimal("10.00"))]
        assert len(payloads("RefundTicket")) == 1

    def test_pays_no_more_than_is_left(self) -> None:
        booking = paid()
        Refund.objects.create(
            booking=booking, amount=Decimal("15.00"), currency="EUR", status="manual", requested_at=timezone.now()
        )
        assert refund_preview(booking, owner_act(booking)) == Decimal("5.00")

    def test_pays_nothing_for_tickets_that_were_cancelled_before(self) -> None:
        booking = vendor_booking("8.00", "9.00")
        ticket, other = tickets_of(booking)
        cancel_ticket(ticket, Act(at=timezone.now(), automatic="vendor"))
        booking.refresh_from_db()
        cancel_booking(booking_id=booking.id, act=staff_act())
        assert amounts() == [("requested", other.price_amount)]

    def test_lets_staff_give_what_is_left_and_no_more(self) -> None:
        booking = paid()
        settle(request_refund(ticket_id=tickets_of(booking)[0].id, act=owner_act(booking)), "failed")
        with pytest.raises(RefundAmountTooHigh) as refusal:
            cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=Decimal("10.01"))
        assert refusal.value.extensions == {"refundable": "10.00"}
        cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=Decimal("10.00"))
        assert amounts() == [("failed", Decimal("10.00")), ("requested", Decimal("10.00"))]

    def test_pays_by_hand_what_made_no_tickets(self) -> None:
        ticketless = TicketType.objects.create(name="list", makes_tickets=False)
        booking = paid(show=ShowFactory.create(ticket_type=ticketless))
        cancel_booking(booking_id=booking.id, act=owner_act(booking))
        assert amounts() == [("manual", Decimal("20.00"))]

    def test_pays_nothing_for_what_nobody_paid(self) -> None:
        booking = pending_booking()
        cancel_booking(booking_id=booking.id, act=owner_act(booking))
        assert amounts() == []


class TestVendorBooking:
    """What was paid is what the vendor says of its tickets."""

    def test_is_paid_back_at_the_vendors_prices(self) -> None:
        booking = vendor_booking("12.00", "14.50")
        cancel_booking(booking_id=booking.id, act=owner_act(booking))
        assert amounts() == [("requested", Decimal("12.00")), ("requested", Decimal("14.50"))]

    @pytest.mark.parametrize("price", ["1.00", "80.00"])
    def test_ends_with_its_last_ticket_whatever_its_show_costs(self, price: str) -> None:
        booking = vendor_booking(price, price)
        for ticket in tickets_of(booking):
            begin_refund(ticket_id=ticket.id, act=now())
        booking.refresh_from_db()
        assert (booking.status, booking.refund_amount) == ("cancelled", 2 * Decimal(price))

    def test_gives_a_part_back_in_the_vendors_currency(self) -> None:
        booking = vendor_booking("12.00", currency="CHF")
        cancel_booking(booking_id=booking.id, act=late(booking))
        refund = Refund.objects.get()
        assert (refund.status, str(refund.money)) == ("manual", "6.00 CHF")
        context = Notification.objects.get(template="booking_cancelled").context
        assert (context["refund_amount"], context["currency"]) == ("6.00", "CHF")

    def test_leaves_out_tickets_in_another_currency_than_the_first(self) -> None:
        booking = vendor_booking("12.00")
        other = Ticket.of(booking, created_at=timezone.now(), price_amount=Decimal(9), price_currency="USD")
        other.save()
        cancel_booking(booking_id=booking.id, act=owner_act(booking))
        assert [str(refund.money) for refund in Refund.objects.all()] == ["12.00 EUR"]
        assert str(request_refund(ticket_id=other.id, act=staff_act()).money) == "9.00 USD"

    def test_without_tickets_was_not_paid(self) -> None:
        booking = vendor_booking()
        cancel_booking(booking_id=booking.id, act=staff_act())
        assert amounts() == []

    def test_keeps_its_seats_when_one_ticket_too_many_is_refunded(self) -> None:
        booking = vendor_booking("10.00", "10.00", "10.00", seats=2)
        for ticket, seats in zip(tickets_of(booking), (2, 1, 0), strict=True):
            begin_refund(ticket_id=ticket.id, act=now())
            booking.refresh_from_db()
            assert booking.seats_held == seats


class TestMoneyBack:
    """Whatever is asked in whatever order, no more goes back than was paid, and no more than a ticket costs for it."""

    @staticmethod
    def asked(booking: Booking) -> dict[str, Ask]:
        first, second = (ticket.id for ticket in tickets_of(booking))
        return {
            "owner in time": lambda: request_refund(ticket_id=first, act=owner_act(booking)),
            "owner late": lambda: request_refund(ticket_id=second, act=late(booking)),
            "staff": lambda: request_refund(ticket_id=first, act=staff_act()),
            "command": lambda: begin_refund(ticket_id=second, act=now()),
            "cancel late": lambda: cancel_booking(booking_id=booking.id, act=late(booking)),
            "cancel by staff": lambda: cancel_booking(
                booking_id=booking.id, act=staff_act(), refund_amount=Decimal("7.00")
            ),
        }

    @staticmethod
    def try_all(asked: list[Ask]) -> None:
        for ask in asked:
            try:
                ask()
            except DomainError:
                continue

    def test_is_never_more_than_money_in(self) -> None:
        show = ShowFactory.create(number_of_tickets=300)
        for order in permutations(range(6), 3):
            booking = paid(show=show)
            asked = list(self.asked(booking).values())
            self.try_all([asked[number] for number in order])
            mine = Refund.objects.filter(booking=booking)
            assert (mine.aggregate(back=Sum("amount"))["back"] or 0) <= booking.price_amount, order
            assert all(refund.amount <= 10 for refund in mine.filter(ticket__isnull=False)), order

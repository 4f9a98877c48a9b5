"""What the vendor tells of its tickets: in whatever order, however often, and at the same time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from bookings.errors import NotSoldByVendor, TicketOfAnotherBooking
from bookings.models import Booking, BookingStatus, Refund, Resource, Show, Ticket, TicketStatus, TicketType
from bookings.services import cancel_booking, complete_booking, mark_no_show
from bookings.services.vendor import CANCELLED_THERE, WITHOUT_SEAT, VendorTicket, record_vendor_tickets
from tests.bookings.meeting import meeting_before_saving
from tests.bookings.published import names, payload, payloads
from tests.bookings.threads import at_once
from tests.factories import NOON, ShowFactory, TicketTypeFactory, owner_act, pending_booking, staff_act
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Message
from tickets_project.values import Money

A, B, C, D = (UUID(int=number) for number in (0xA, 0xB, 0xC, 0xD))
UNKNOWN = UUID(int=1)
MADE = ["booking.created", "BookingMade_v1"]
CONFIRMED = ["ticket.created", "TicketBookingConfirmed_v1"]
CANCELLED = ["ticket.created", "ticket.cancelled", "TicketBookingCanceled_v1"]
# A mail to the customer.
MAIL = "SendNotification"


def vendor_show(**facts: Any) -> Show:
    show: Show = ShowFactory.create(dead_nation_id=uuid4(), **facts)
    return show


def vendor_booking(*, seats: int = 2, show: Show | None = None, **facts: Any) -> Booking:
    return pending_booking(show=show or vendor_show(), seats=seats, **facts)


def news(booking: Booking | UUID, ticket_id: UUID, *, confirmed: bool = True, **facts: Any) -> VendorTicket:
    defaults: dict[str, Any] = {
        "ticket_id": ticket_id,
        "booking_id": booking.id if isinstance(booking, Booking) else booking,
        "is_confirmed": confirmed,
        "customer_email": "ada@vendor.example",
        "price": Money(amount=Decimal("12.50"), currency="EUR"),
    }
    return VendorTicket(**defaults | facts)


def confirmed(booking: Booking | UUID, *tickets: UUID, **facts: Any) -> list[VendorTicket]:
    return [news(booking, ticket, **facts) for ticket in tickets]


def canceled(booking: Booking | UUID, *tickets: UUID, **facts: Any) -> list[VendorTicket]:
    return [news(booking, ticket, confirmed=False, **facts) for ticket in tickets]


def tell(*told: Sequence[VendorTicket], at: Any = None) -> None:
    record_vendor_tickets(told=[each for some in told for each in some], act=vendor_act(at))


def vendor_act(at: Any = None) -> Act:
    return Act(at=at or timezone.now(), automatic="vendor")


def statuses() -> dict[UUID, str]:
    return dict(Ticket.objects.order_by("id").values_list("id", "status"))


def status_of(booking: Booking) -> str:
    return str(Booking.objects.get(id=booking.id).status)


def seats_held(booking: Booking) -> tuple[int, int]:
    """Return the seats that the booking and its show hold."""
    row = Booking.objects.select_related("show").get(id=booking.id)
    assert row.show is not None
    return row.seats_held, row.show.seats_held


def mails(template: str) -> list[dict[str, Any]]:
    return list(Notification.objects.filter(template=template).order_by("created_at").values_list("context", flat=True))


@pytest.mark.django_db
class TestRecordVendorTickets:
    def test_stores_a_ticket_as_it_is_told(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A), at=NOON)
        ticket = Ticket.objects.get()
        assert (ticket.id, ticket.booking, ticket.owner_id) == (A, booking, booking.owner_id)
        assert (ticket.customer_email, str(ticket.price)) == ("ada@vendor.example", "12.50 EUR")
        assert (ticket.status, ticket.ticket_type.name, ticket.created_at) == ("pending", "standard", NOON)
        assert (len(ticket.redemption_code), ticket.vendor_booking_id) == (16, None)

    def test_announces_each_ticket(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B))
        assert names() == [*MADE, "booking.confirmed", *CONFIRMED, *CONFIRMED, MAIL]
        assert [told["ticket_id"] for told in payloads("ticket.created")] == [str(A), str(B)]
        assert payloads("TicketBookingConfirmed_v1")[0] == {
            "ticket_id": str(A),
            "customer_email": "ada@vendor.example",
            "price": {"amount": "12.50", "currency": "EUR"},
            "booking_id": str(booking.id),
        }

    def test_confirms_the_booking_with_its_first_ticket(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A), at=NOON)
        row = Booking.objects.get()
        assert (row.status, row.confirmed_at, len(row.confirmation_code or "")) == ("confirmed", NOON, 10)
        assert AuditEntry.objects.get(action="booking_confirmed").details["tickets_created"] == 1
        tell(confirmed(booking, B))
        assert names().count("booking.confirmed") == 1
        assert seats_held(booking) == (2, 2)

    def test_is_the_vendor_s_act(self) -> None:
        tell(confirmed(vendor_booking(), A, B))
        entry = AuditEntry.objects.get(action="booking_confirmed")
        assert (entry.by, entry.actor, entry.old, entry.new) == ("vendor", None, "pending", "confirmed")
        assert entry.details["tickets_created"] == 2
        assert payload("booking.confirmed")["admin_id"] is None

    def test_sends_the_customer_the_codes_that_activate_the_tickets(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B))
        [mail] = mails("booking_confirmed")
        assert (mail["booking_id"], mail["tickets_count"]) == (str(booking.id), 2)
        codes = {str(ticket.id): ticket.activation_code for ticket in Ticket.objects.all()}
        assert {told["ticket_id"]: told["activation_code"] for told in mail["activation_codes"]} == codes
        assert {len(code) for code in codes.values()} == {8}

    def test_sends_the_codes_of_tickets_that_come_later(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A))
        tell(confirmed(booking, A, B))
        first, later = mails("booking_confirmed")
        assert [mail["tickets_count"] for mail in (first, later)] == [1, 1]
        assert [told["ticket_id"] for told in later["activation_codes"]] == [str(B)]

    def test_activates_tickets_that_need_no_code(self) -> None:
        kind = TicketTypeFactory.create(name="open", activation="on_confirmation")
        tell(confirmed(vendor_booking(show=vendor_show(ticket_type=kind)), A))
        ticket = Ticket.objects.get()
        assert (ticket.status, bool(ticket.activation_code)) == ("active", True)
        assert names()[len(MADE) :] == ["booking.confirmed", *CONFIRMED, "ticket.activated", MAIL, MAIL]
        assert mails("booking_confirmed")[0]["activation_codes"] == []
        assert mails("ticket_activated")[0]["ticket_id"] == str(A)

    def test_makes_tickets_of_a_type_that_makes_none_by_itself(self) -> None:
        kind = TicketTypeFactory.create(name="list", makes_tickets=False)
        tell(confirmed(vendor_booking(show=vendor_show(ticket_type=kind)), A))
        assert Ticket.objects.get().ticket_type == kind

    def test_cancels_a_ticket(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B))
        tell(canceled(booking, A), at=NOON)
        assert statuses() == {A: "cancelled", B: "pending"}
        assert names()[-2:] == ["ticket.cancelled", "TicketBookingCanceled_v1"]
        assert payload("TicketBookingCanceled_v1")["ticket_id"] == str(A)
        assert (payload("ticket.cancelled")["reason"], Ticket.objects.get(id=A).cancelled_at) == (CANCELLED_THERE, NOON)
        assert (status_of(booking), seats_held(booking)) == ("confirmed", (1, 1))

    def test_cancels_an_active_ticket(self) -> None:
        kind = TicketTypeFactory.create(name="open", activation="on_confirmation")
        booking = vendor_booking(show=vendor_show(ticket_type=kind))
        tell(confirmed(booking, A))
        tell(canceled(booking, A))
        assert statuses() == {A: "cancelled"}

    def test_leaves_a_redeemed_ticket(self) -> None:
        kind = TicketTypeFactory.create(name="open", activation="on_confirmation")
        booking = vendor_booking(show=vendor_show(ticket_type=kind))
        tell(confirmed(booking, A))
        ticket = Ticket.objects.get()
        ticket.redeem(act=staff_act(), location="")
        ticket.save()
        before = names()
        tell(canceled(booking, A))
        assert (statuses(), names(), seats_held(booking)) == ({A: "redeemed"}, before, (2, 2))

    def test_ends_a_booking_that_has_no_ticket_left(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B))
        tell(canceled(booking, A), canceled(booking, B))
        row = Booking.objects.get()
        assert (row.status, row.refund_amount, row.cancellation_reason) == ("cancelled", Decimal(0), CANCELLED_THERE)
        assert seats_held(booking) == (0, 0)
        assert names()[-2:] == ["booking.cancelled", MAIL]

    def test_stores_a_ticket_that_is_cancelled_first(self) -> None:
        booking = vendor_booking()
        tell(canceled(booking, A))
        assert names() == [*MADE, *CANCELLED]
        assert (statuses(), status_of(booking), seats_held(booking)) == ({A: "cancelled"}, "pending", (1, 1))

    def test_never_revives_a_cancelled_ticket(self) -> None:
        booking = vendor_booking()
        tell(canceled(booking, A))
        before = names()
        tell(confirmed(booking, A))
        assert (statuses(), status_of(booking), names()) == ({A: "cancelled"}, "pending", before)

    def test_ends_cancelled_whichever_comes_first_in_one_request(self) -> None:
        booking = vendor_booking()
        tell(canceled(booking, A), confirmed(booking, A, B), canceled(booking, B))
        assert statuses() == {A: "cancelled", B: "cancelled"}
        assert (status_of(booking), seats_held(booking), Refund.objects.count()) == ("cancelled", (0, 0), 0)
        assert [told["ticket_id"] for told in payloads("TicketBookingConfirmed_v1")] == [str(B)]
        assert mails("booking_confirmed") == []

    def test_confirms_and_cancels_all_in_one_request(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B), canceled(booking, A, B))
        assert statuses() == {A: "cancelled", B: "cancelled"}
        assert (status_of(booking), seats_held(booking)) == ("cancelled", (0, 0))

    def test_changes_nothing_when_told_again(self) -> None:
        booking = vendor_booking()
        told = [*confirmed(booking, A, B), *canceled(booking, A)]
        tell(told)
        before = names()
        for again in (told, confirmed(booking, A), canceled(booking, A), told):
            tell(again)
        assert (statuses(), names()) == ({A: "cancelled", B: "pending"}, before)
        assert (seats_held(booking), AuditEntry.objects.filter(action="ticket_cancelled").count()) == ((1, 1), 1)

    def test_keeps_what_was_told_first(self) -> None:
        booking = vendor_booking()
        other = {"customer_email": "eve@vendor.example", "price": Money(amount=Decimal(99), currency="USD")}
        tell(confirmed(booking, A), confirmed(booking, A, **other))
        tell(confirmed(booking, A, **other))
        ticket = Ticket.objects.get()
        assert (ticket.customer_email, str(ticket.price)) == ("ada@vendor.example", "12.50 EUR")

    def test_refuses_a_show_that_the_vendor_does_not_sell(self) -> None:
        ours, theirs = pending_booking(), vendor_booking()
        before = names()
        with pytest.raises(NotSoldByVendor) as caught:
            tell(confirmed(theirs, A), confirmed(UNKNOWN, B), confirmed(ours, C))
        assert caught.value.extensions == {"booking_id": str(ours.id)}
        assert (statuses(), status_of(theirs), names()) == ({}, "pending", before)

    def test_refuses_a_resource(self) -> None:
        room = Resource.objects.create(type="room", name="Blue", price_amount=1, price_currency="EUR")
        booking = Booking.objects.create(
            resource=room,
            start_time=NOON,
            end_time=NOON + timedelta(hours=1),
            number_of_tickets=1,
            price_amount=1,
            price_currency="EUR",
            created_at=NOON,
        )
        with pytest.raises(NotSoldByVendor):
            tell(confirmed(booking, A))

    @pytest.mark.parametrize("known_under", ["booking", "nothing"])
    def test_refuses_a_ticket_of_another_booking(self, known_under: str) -> None:
        first, second = vendor_booking() if known_under == "booking" else UNKNOWN, vendor_booking()
        tell(confirmed(first, A))
        before = names()
        for told in ([confirmed(second, B, A)], [canceled(second, B, A)], [confirmed(UUID(int=2), B, A)]):
            with pytest.raises(TicketOfAnotherBooking) as caught:
                tell(*told)
            assert caught.value.extensions == {"ticket_id": str(A)}
        assert (statuses(), status_of(second), names()) == ({A: "pending"}, "pending", before)

    def test_refuses_a_ticket_of_two_bookings(self) -> None:
        first, second = vendor_booking(), vendor_booking()
        with pytest.raises(TicketOfAnotherBooking):
            tell(confirmed(first, A), confirmed(second, A))
        assert not Ticket.objects.exists()

    def test_takes_several_bookings_of_a_show(self) -> None:
        show = vendor_show()
        first, second = vendor_booking(show=show), vendor_booking(show=show)
        tell(confirmed(first, A), canceled(second, C, D), confirmed(first, B))
        assert statuses() == {A: "pending", B: "pending", C: "cancelled", D: "cancelled"}
        assert (status_of(first), status_of(second)) == ("confirmed", "cancelled")
        assert (seats_held(first), seats_held(second)) == ((2, 2), (0, 2))


@pytest.mark.django_db
class TestRecordVendorTicketsWithoutSeat:
    def assert_sent_back(self, ticket_id: UUID) -> None:
        """The ticket is stored, cancelled, on its way back, and nobody was told to print it."""
        ticket = Ticket.objects.get(id=ticket_id)
        refund = Refund.objects.get(ticket=ticket)
        assert (ticket.status, refund.status, refund.money) == ("cancelled", "requested", ticket.price)
        assert (refund.reason, refund.requested_by) == (WITHOUT_SEAT, "vendor")
        about = Message.objects.filter(aggregateid=str(ticket_id)).order_by("sequence")
        assert list(about.values_list("type", flat=True)) == [
            "ticket.created",
            "RefundTicket",
            "ticket.cancelled",
            "TicketBookingCanceled_v1",
        ]
        told = about.get(type="ticket.cancelled").payload
        assert (told["reason"], told["refund_amount"]) == (WITHOUT_SEAT, "12.50")

    def test_sends_back_what_is_more_than_booked(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B, C))
        self.assert_sent_back(C)
        assert statuses() == {A: "pending", B: "pending", C: "cancelled"}
        assert (status_of(booking), seats_held(booking)) == ("confirmed", (2, 2))
        assert mails("booking_confirmed")[0]["tickets_count"] == 2
        assert AuditEntry.objects.get(action="booking_confirmed").details["tickets_created"] == 2

    def test_sends_back_what_comes_later_and_is_more_than_booked(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B))
        tell(confirmed(booking, C))
        self.assert_sent_back(C)
        assert (seats_held(booking), len(mails("booking_confirmed"))) == ((2, 2), 1)

    def test_gives_a_freed_seat_to_nobody(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B))
        tell(canceled(booking, A))
        tell(confirmed(booking, C))
        self.assert_sent_back(C)
        assert seats_held(booking) == (1, 1)

    def test_sends_back_what_comes_after_a_cancellation(self) -> None:
        booking = vendor_booking()
        cancel_booking(booking_id=booking.id, act=owner_act(booking))
        tell(confirmed(booking, A, B))
        self.assert_sent_back(A)
        self.assert_sent_back(B)
        assert (status_of(booking), seats_held(booking)) == ("cancelled", (0, 0))
        assert mails("booking_confirmed") == []

    @pytest.mark.parametrize("end", [complete_booking, mark_no_show])
    def test_sends_back_what_comes_when_it_is_over(self, end: Any) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A))
        end(booking_id=booking.id, act=staff_act())
        tell(confirmed(booking, B))
        self.assert_sent_back(B)
        assert statuses()[A] == "pending"

    def test_refunds_no_ticket_that_cost_nothing(self) -> None:
        booking = vendor_booking(seats=1)
        tell(confirmed(booking, A, B, price=Money(amount=Decimal("0.00"), currency="EUR")))
        assert (statuses()[B], Refund.objects.exists()) == ("cancelled", False)

    def test_frees_no_seat_for_a_cancelled_ticket_that_had_none(self) -> None:
        booking = vendor_booking()
        tell(confirmed(booking, A, B))
        tell(canceled(booking, C))
        assert (statuses()[C], seats_held(booking), Refund.objects.exists()) == ("cancelled", (2, 2), False)

    def test_changes_nothing_when_told_again(self) -> None:
        booking = vendor_booking(seats=1)
        tell(confirmed(booking, A, B))
        before = names()
        tell(confirmed(booking, A, B))
        assert (names(), Refund.objects.count()) == (before, 1)


@pytest.mark.django_db
class TestRecordVendorTicketsWithoutBooking:
    def test_stores_the_ticket_without_an_owner(self) -> None:
        tell(confirmed(UNKNOWN, A))
        ticket = Ticket.objects.get()
        assert (ticket.booking, ticket.vendor_booking_id, ticket.owner_id) == (None, UNKNOWN, None)
        assert (ticket.status, ticket.ticket_type.name) == ("pending", "standard")
        assert (ticket.title, str(ticket)) == (f"vendor booking {UNKNOWN}", ticket.redemption_code)

    def test_announces_it_all_the_same(self) -> None:
        tell(confirmed(UNKNOWN, A))
        assert names() == CONFIRMED
        assert payload("TicketBookingConfirmed_v1")["booking_id"] == str(UNKNOWN)
        assert (payload("ticket.created")["user_id"], payload("ticket.created")["booking_id"]) == (None, str(UNKNOWN))

    def test_takes_however_many_there_are(self) -> None:
        tell(confirmed(UNKNOWN, A, B))
        tell(confirmed(UNKNOWN, C), confirmed(UUID(int=2), D))
        assert set(statuses().values()) == {"pending"}

    def test_activates_what_needs_no_code(self) -> None:
        TicketTypeFactory.create(name="standard", activation="on_confirmation")
        tell(confirmed(UNKNOWN, A), at=NOON)
        ticket = Ticket.objects.get()
        assert (ticket.status, ticket.valid_from, ticket.valid_until) == ("active", NOON, None)
        assert Notification.objects.get().email == "ada@vendor.example"

    def test_cancels_whichever_comes_first(self) -> None:
        tell(canceled(UNKNOWN, A), confirmed(UNKNOWN, A, B))
        tell(canceled(UNKNOWN, B))
        assert statuses() == {A: "cancelled", B: "cancelled"}
        assert not Refund.objects.exists()


@pytest.mark.django_db
class TestRecordVendorTicketsInAnyOrder:
    @pytest.mark.parametrize("order", list(permutations(range(4))))
    def test_comes_to_the_same_at_once_and_one_by_one(self, order: tuple[int, ...]) -> None:
        together, apart = vendor_booking(), vendor_booking()
        facts = []
        for booking, shift in ((together, 0), (apart, 100)):
            first, second, third = (UUID(int=number + shift) for number in (1, 2, 3))
            told = [*confirmed(booking, first, second, third), *canceled(booking, first)]
            requests = [[told[number] for number in order]] if booking is together else [[told[n]] for n in order]
            for request in requests:
                tell(request)
            facts.append((self.tickets(booking), status_of(booking), seats_held(booking)))
            assert facts[-1][0][0] == TicketStatus.CANCELLED
        assert facts[0] == facts[1]

    def tickets(self, booking: Booking) -> list[Any]:
        rows = Ticket.objects.filter(booking=booking).order_by("id")
        return [*(row.status for row in rows), Refund.objects.filter(ticket__in=rows).count()]


@contextmanager
def dawdling() -> Iterator[None]:
    """Take a while over each new ticket, so that two requests meet half-way."""
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
            CREATE TRIGGER dawdle BEFORE INSERT ON bookings_ticket FOR EACH ROW EXECUTE FUNCTION dawdle()
        """)
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION dawdle CASCADE")


def telling(told: Sequence[VendorTicket]) -> Any:
    return partial(tell, told)


@pytest.mark.django_db(transaction=True)
class TestRecordVendorTicketsConcurrency:
    def test_seats_two_on_one_seat_with_the_locks_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next test would fail without the locks."""
        monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
        booking = vendor_booking(seats=1)
        with meeting_before_saving(Booking, 2):
            at_once([telling(confirmed(booking, ticket)) for ticket in (A, B)])
        assert list(statuses().values()) == ["pending", "pending"]

    def test_seats_one_on_one_seat(self) -> None:
        booking = vendor_booking(seats=1)
        at_once([telling(confirmed(booking, UUID(int=number))) for number in range(1, 7)])
        assert sorted(statuses().values()) == ["cancelled"] * 5 + ["pending"]
        assert (Refund.objects.count(), names().count("booking.confirmed")) == (5, 1)
        assert seats_held(booking) == (1, 1)

    @pytest.mark.parametrize("known", [True, False])
    def test_stores_each_ticket_once(self, known: bool) -> None:  # noqa: FBT001
        booking = vendor_booking(seats=3) if known else UNKNOWN
        answers = at_once([telling(confirmed(booking, A, B, C))] * 10)
        assert answers == [None] * 10
        assert statuses() == dict.fromkeys((A, B, C), "pending")
        for name in CONFIRMED:
            assert len(payloads(name)) == 3
        assert names().count("booking.confirmed") == int(known)

    @pytest.mark.parametrize("known", [True, False])
    def test_ends_cancelled(self, known: bool) -> None:  # noqa: FBT001
        for number in range(1, 6):
            booking = vendor_booking(seats=3) if known else UUID(int=900 + number)
            ticket = UUID(int=number)
            told = [telling(confirmed(booking, ticket)), telling(canceled(booking, ticket))]
            assert at_once(told * 2) == [None] * 4
            assert statuses()[ticket] == "cancelled"
            assert len(Message.objects.filter(type="TicketBookingCanceled_v1", aggregateid=str(ticket))) == 1

    def test_never_waits_for_itself_in_a_circle(self) -> None:
        shows = [vendor_show(), vendor_show()]
        bookings: list[Booking | UUID] = [vendor_booking(show=shows[number % 2]) for number in range(6)]
        bookings += [UUID(int=number) for number in range(5, 9)]
        told = [news(booking, uuid4()) for booking in bookings for _ in range(2)]
        cancelled = [news(each.booking_id, each.ticket_id, confirmed=False) for each in told]
        orders = [told, told[::-1], cancelled, cancelled[::-1]]
        assert at_once([telling(order) for order in orders * 2]) == [None] * 8
        assert set(statuses().values()) == {"cancelled"}
        assert set(Booking.objects.values_list("status", "seats_held")) == {(BookingStatus.CANCELLED, 0)}
        assert set(Show.objects.values_list("seats_held", flat=True)) == {0}

    def test_stores_them_in_whatever_order_they_are_told(self) -> None:
        # Making the type would keep the two apart.
        TicketTypeFactory.create()
        told = confirmed(UNKNOWN, A, B, C, D)
        with dawdling():
            assert at_once([telling(told), telling(told[::-1])]) == [None] * 2
        assert len(payloads("ticket.created")) == len(statuses()) == 4

    def test_frees_each_seat_of_a_show_once(self) -> None:
        show = vendor_show()
        bookings = [vendor_booking(show=show, seats=1) for _ in range(8)]
        assert at_once([telling(canceled(booking, uuid4())) for booking in bookings]) == [None] * 8
        assert seats_held(bookings[0]) == (0, 0)

    def test_meets_staff_who_end_the_booking(self) -> None:
        for number in range(1, 6):
            booking = vendor_booking()
            tell(confirmed(booking, UUID(int=number)))
            ending = partial(complete_booking, booking_id=booking.id, act=staff_act())
            at_once([ending, telling(canceled(booking, UUID(int=number), UUID(int=100 + number)))])
            row = Booking.objects.get(id=booking.id)
            assert (row.status, row.seats_held) in {("completed", 0), ("completed", 1), ("cancelled", 0)}

    def test_refuses_a_ticket_that_another_booking_has_just_got(self) -> None:
        first, second = vendor_booking(), vendor_booking()
        answers = at_once([telling(confirmed(booking, A)) for booking in (first, second)])
        assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "TicketOfAnotherBooking"]
        assert len(statuses()) == 1

    def test_meets_a_cancelling_customer(self) -> None:
        for number in range(5):
            booking = vendor_booking()
            first, second = UUID(int=10 * number + 1), UUID(int=10 * number + 2)
            cancelling = partial(cancel_booking, booking_id=booking.id, act=owner_act(booking))
            at_once([cancelling, telling(confirmed(booking, first, second))])
            assert (status_of(booking), seats_held(booking)) == ("cancelled", (0, 0))
            assert (statuses()[first], statuses()[second]) == ("cancelled", "cancelled")
            assert Refund.objects.filter(booking=booking).count() == 2


@pytest.mark.django_db
def test_needs_no_ticket_type_beforehand() -> None:
    TicketType.objects.all().delete()
    tell(confirmed(UNKNOWN, A))
    assert TicketType.objects.get().name == "standard"

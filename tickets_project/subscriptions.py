"""Which handler hears which message: the whole table, read top to bottom.

To add a handler, add a line. The key (the second column) is stored with each delivery and never changes.
"""

from functools import partial

import bookings.commands
import bookings.events.of_bookings
import bookings.events.of_tickets
import bookings.events.process
import printing.events
import printing.handlers
import tickets_project.notifications.commands
import vip_bundles.commands
import vip_bundles.events
from bookings.commands import BookShowTickets, RefundTicket
from bookings.events import (
    BookingCancelled,
    BookingConfirmed,
    BookingCreated,
    BookingFailedV1,
    BookingMadeV1,
    BookingNoShow,
    TicketBookingCanceledV1,
    TicketBookingConfirmedV1,
    TicketReceiptIssuedV1,
    TicketRedeemed,
    TicketRefundedV1,
)
from bookings.handlers import printed, read_model, receipts, refunds, show_tickets, tracker, vendor
from printing.events import TicketPrintedV1
from tickets_project.analytics.handlers import count
from tickets_project.analytics.models import Kind
from tickets_project.booking_money import price_of_booking, price_of_ticket
from tickets_project.notifications.commands import SendNotification
from tickets_project.notifications.handlers import RETRY, send_notification
from tickets_project.outbox.subscriptions import Subscription, Subscriptions
from tickets_project.ticket_documents import find_ticket_document
from vip_bundles.commands import BookFlight, BookTaxi, CancelFlightTickets, CancelTaxi
from vip_bundles.events import (
    FlightBookedV1,
    FlightBookingFailedV1,
    TaxiBookedV1,
    TaxiBookingFailedV1,
    VipBundleFinalizedV1,
    VipBundleInitializedV1,
)
from vip_bundles.handlers import advancing, telling, tickets, transport

print_ticket = partial(printing.handlers.print_ticket, find=find_ticket_document)

SUBSCRIPTIONS = Subscriptions(
    # A booking of a show is made.
    Subscription(BookingMadeV1, "bookings.book_at_vendor", vendor.book_at_vendor, external=True),
    Subscription(BookingMadeV1, "bookings.ops_booking_made", read_model.on_booking_made),
    # Each ticket of a confirmed booking is printed, charged and tracked.
    Subscription(TicketBookingConfirmedV1, "printing.print_ticket", print_ticket, external=True, urgent=True),
    Subscription(TicketBookingConfirmedV1, "bookings.issue_receipt", receipts.issue_receipt, external=True),
    Subscription(TicketBookingConfirmedV1, "bookings.track_to_print", tracker.track_to_print, external=True),
    Subscription(TicketBookingConfirmedV1, "bookings.ops_ticket_confirmed", read_model.on_ticket_confirmed),
    Subscription(TicketPrintedV1, "bookings.record_printed", printed.record_printed, urgent=True),
    Subscription(TicketPrintedV1, "bookings.ops_ticket_printed", read_model.on_ticket_printed),
    Subscription(TicketReceiptIssuedV1, "bookings.ops_receipt_issued", read_model.on_receipt_issued),
    # A ticket is no longer valid, or its money goes back.
    Subscription(TicketBookingCanceledV1, "bookings.track_to_refund", tracker.track_to_refund, external=True),
    Subscription(RefundTicket, "bookings.refund_ticket", refunds.refund_ticket, external=True),
    Subscription(TicketRefundedV1, "bookings.ops_ticket_refunded", read_model.on_ticket_refunded),
    # A VIP bundle is booked step by step, or taken back: each answer advances it.
    Subscription(VipBundleInitializedV1, "vip_bundles.on_initialized", advancing.on_initialized, together=False),
    Subscription(BookShowTickets, "bookings.book_show_tickets", show_tickets.book_show_tickets, together=False),
    Subscription(BookingMadeV1, "vip_bundles.on_booking_made", advancing.on_booking),
    Subscription(BookingFailedV1, "vip_bundles.on_booking_failed", advancing.on_booking),
    Subscription(
        TicketBookingConfirmedV1, "vip_bundles.on_ticket_confirmed", advancing.on_booking, locks_by="booking_id"
    ),
    Subscription(BookFlight, "vip_bundles.book_flight", transport.book_flight, external=True),
    Subscription(FlightBookedV1, "vip_bundles.on_flight_booked", advancing.on_transport, together=False),
    Subscription(FlightBookingFailedV1, "vip_bundles.on_flight_failed", advancing.on_transport, together=False),
    Subscription(BookTaxi, "vip_bundles.book_taxi", transport.book_taxi, external=True),
    Subscription(TaxiBookedV1, "vip_bundles.on_taxi_booked", advancing.on_transport, together=False),
    Subscription(TaxiBookingFailedV1, "vip_bundles.on_taxi_failed", advancing.on_transport, together=False),
    Subscription(CancelFlightTickets, "vip_bundles.cancel_flight", transport.cancel_flight_tickets, external=True),
    Subscription(CancelTaxi, "vip_bundles.cancel_taxi", transport.cancel_taxi, external=True),
    Subscription(TicketPrintedV1, "vip_bundles.record_printed", tickets.record_printed, locks_by="booking_id"),
    Subscription(TicketRefundedV1, "vip_bundles.record_refunded", tickets.record_refunded, locks_by="booking_id"),
    Subscription(VipBundleFinalizedV1, "vip_bundles.tell_customer", telling.tell_customer, replayable=False),
    # Customers are told.
    Subscription(
        SendNotification, "notifications.send", send_notification, external=True, replayable=False, retry=RETRY
    ),
    # What happens is counted per day.
    Subscription(BookingCreated, "analytics.count_booked", partial(count, kind=Kind.BOOKED)),
    Subscription(BookingConfirmed, "analytics.count_confirmed", partial(count, kind=Kind.CONFIRMED)),
    Subscription(
        BookingConfirmed, "analytics.count_revenue", partial(count, kind=Kind.REVENUE, worth=price_of_booking)
    ),
    Subscription(BookingCancelled, "analytics.count_cancelled", partial(count, kind=Kind.CANCELLED)),
    Subscription(BookingNoShow, "analytics.count_no_show", partial(count, kind=Kind.NO_SHOW)),
    Subscription(TicketPrintedV1, "analytics.count_printed", partial(count, kind=Kind.PRINTED)),
    Subscription(TicketRedeemed, "analytics.count_redeemed", partial(count, kind=Kind.REDEEMED)),
    Subscription(
        TicketRefundedV1, "analytics.count_refunded", partial(count, kind=Kind.REFUNDED, worth=price_of_ticket)
    ),
    declared_in=(
        bookings.events.of_bookings,
        bookings.events.of_tickets,
        bookings.events.process,
        bookings.commands,
        printing.events,
        tickets_project.notifications.commands,
        vip_bundles.commands,
        vip_bundles.events,
    ),
)

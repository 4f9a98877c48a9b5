"""What bookings tell the others: life-cycle events of one row, and the process events that apps act on."""

from bookings.events.of_bookings import (
    BookingCancellationRequested,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmationRequested,
    BookingConfirmed,
    BookingCreated,
    BookingNoShow,
)
from bookings.events.of_tickets import (
    TicketActivated,
    TicketActivationRequested,
    TicketCancelled,
    TicketCreated,
    TicketExpired,
    TicketRedeemed,
    TicketRedemptionRequested,
)
from bookings.events.process import (
    BookingFailedV1,
    BookingMadeV1,
    TicketBookingCanceledV1,
    TicketBookingConfirmedV1,
    TicketReceiptIssuedV1,
    TicketRefundedV1,
)

__all__ = [
    "BookingCancellationRequested",
    "BookingCancelled",
    "BookingCompleted",
    "BookingConfirmationRequested",
    "BookingConfirmed",
    "BookingCreated",
    "BookingFailedV1",
    "BookingMadeV1",
    "BookingNoShow",
    "TicketActivated",
    "TicketActivationRequested",
    "TicketBookingCanceledV1",
    "TicketBookingConfirmedV1",
    "TicketCancelled",
    "TicketCreated",
    "TicketExpired",
    "TicketReceiptIssuedV1",
    "TicketRedeemed",
    "TicketRedemptionRequested",
    "TicketRefundedV1",
]

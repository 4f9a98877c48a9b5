"""The anticipated refusals of bookings."""

from tickets_project.refusals import DomainError, InvalidInput, NotFound


class NotEnoughTickets(DomainError):
    """The show has fewer seats left than you asked for."""

    code = "not_enough_tickets"


class ShowHasStarted(DomainError):
    """The show has already started; it can no longer be booked."""

    code = "show_has_started"


class ShowMakesNoTickets(DomainError):
    """A booking of this show makes no tickets, and without tickets there is no bundle."""

    code = "show_makes_no_tickets"


class SeatsAreHeld(DomainError):
    """More seats are held already than the show would have."""

    code = "seats_are_held"


class SlotTaken(DomainError):
    """Somebody has booked it for that time; ask its availability for what is free."""

    code = "slot_taken"


class SlotInThePast(DomainError):
    """That time has begun already; choose a later one."""

    code = "slot_in_the_past"


class OutsideOpeningHours(DomainError):
    """It is not open all that time; ask its availability for what is free."""

    code = "outside_opening_hours"


class BookingIdTaken(DomainError):
    """Another booking has this id already."""

    code = "booking_id_taken"


class BookingNotPending(DomainError):
    """Only a pending booking can be confirmed."""

    code = "booking_not_pending"


class BookingNotConfirmed(DomainError):
    """Only a confirmed booking can be completed or be a no-show."""

    code = "booking_not_confirmed"


class BookingAlreadyCancelled(DomainError):
    """The booking is cancelled already."""

    code = "booking_already_cancelled"


class BookingNotCancellable(DomainError):
    """The booking is over: only a pending or confirmed one can be cancelled."""

    code = "booking_not_cancellable"


class ConfirmedByVendor(DomainError):
    """The vendor sells this show and confirms its bookings by itself."""

    code = "confirmed_by_vendor"


class PaymentRequired(InvalidInput):
    """This booking costs something: give the payment_id of its payment."""

    code = "payment_required"


class PaymentAlreadyUsed(DomainError):
    """This payment has confirmed another booking."""

    code = "payment_already_used"


class RefundAmountIsForStaff(InvalidInput):
    """Only staff may say how much is paid back: leave refund_amount out."""

    code = "refund_amount_is_for_staff"


class RefundAmountTooHigh(InvalidInput):
    """No more can be paid back than was paid and is not on its way back already."""

    code = "refund_amount_too_high"


class RefundAlreadyRequested(DomainError):
    """This ticket's money is on its way back, or was paid back."""

    code = "refund_already_requested"


class NothingToRefund(DomainError):
    """Nothing can be paid back: so late, or all of it is on its way already."""

    code = "nothing_to_refund"


class RefundNotManual(DomainError):
    """Only a manual refund is marked paid by a person; the others pay themselves."""

    code = "refund_not_manual"


class UnknownTicketType(InvalidInput):
    """There is no ticket type of this name."""

    code = "unknown_ticket_type"


class TicketNotPending(DomainError):
    """Only a pending ticket can be activated."""

    code = "ticket_not_pending"


class WrongActivationCode(DomainError):
    """This is not the ticket's activation code; it came with the confirmation."""

    code = "wrong_activation_code"


class NotPrintedYet(NotFound):
    """The ticket is not printed yet; ask again in a moment."""

    code = "not_printed_yet"


class UnknownCode(DomainError):
    """No ticket has this code."""

    code = "unknown_code"


class NotActive(DomainError):
    """The ticket is not activated yet."""

    code = "not_active"


class NotYetValid(DomainError):
    """The ticket is for later."""

    code = "not_yet_valid"


class Expired(DomainError):
    """The ticket's time is over."""

    code = "expired"


class Cancelled(DomainError):
    """The ticket is cancelled."""

    code = "cancelled"


class AlreadyRedeemed(DomainError):
    """Somebody has entered with this ticket."""

    code = "already_redeemed"


class NonceReused(DomainError):
    """This nonce belongs to another scan of yours: make a new one for each scan."""

    code = "nonce_reused"


class ScanNotRedeemed(DomainError):
    """This scan let nobody in, so there is nothing to undo."""

    code = "scan_not_redeemed"


class ScanAlreadyUndone(DomainError):
    """This scan is undone already."""

    code = "scan_already_undone"


class TooLateToUndo(DomainError):
    """A scan can be undone for fifteen minutes, and that time is over."""

    code = "too_late_to_undo"


class NotSoldByVendor(DomainError):
    """The vendor may only speak of bookings of shows that it sells."""

    code = "not_sold_by_vendor"


class TicketOfAnotherBooking(DomainError):
    """The ticket belongs to another booking."""

    code = "ticket_of_another_booking"

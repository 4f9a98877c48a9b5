"""The anticipated refusals of bookings."""

from tickets_project.refusals import DomainError, InvalidInput, NotFound


class NotEnoughTickets(DomainError):
    """The show has fewer seats left than you asked for."""

    code = "not_enough_tickets"


class ShowHasStarted(DomainError):
    """The show has already started; it can no longer be booked."""

    code = "show_has_started"


class BookingIdTaken(DomainError):
    """Another booking has this id already."""

    code = "booking_id_taken"


class BookingNotPending(DomainError):
    """Only a pending booking can be confirmed."""

    code = "booking_not_pending"


class PaymentRequired(InvalidInput):
    """This booking costs something: give the payment_id of its payment."""

    code = "payment_required"


class PaymentAlreadyUsed(DomainError):
    """This payment has confirmed another booking."""

    code = "payment_already_used"


class UnknownTicketType(InvalidInput):
    """There is no ticket type of this name."""

    code = "unknown_ticket_type"


class NotPrintedYet(NotFound):
    """The ticket is not printed yet; ask again in a moment."""

    code = "not_printed_yet"

"""Which handler hears which message: the whole table, read top to bottom.

To add a handler, add a line. The key (the second column) is stored with each delivery and never changes.
"""

from functools import partial

import bookings.events
import bookings.handlers
import printing.events
import printing.handlers
from bookings.events import TicketBookingConfirmedV1
from printing.events import TicketPrintedV1
from tickets_project.outbox.subscriptions import Subscription, Subscriptions
from tickets_project.ticket_documents import find_ticket_document

print_ticket = partial(printing.handlers.print_ticket, find=find_ticket_document)

SUBSCRIPTIONS = Subscriptions(
    Subscription(TicketBookingConfirmedV1, "printing.print_ticket", print_ticket, external=True),
    Subscription(TicketPrintedV1, "bookings.record_printed", bookings.handlers.record_printed),
    declared_in=(bookings.events, printing.events),
)

"""The show of a VIP bundle: its seats are booked under the id that the bundle has chosen."""

from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from bookings import services
from bookings.commands import BookShowTickets
from bookings.errors import NotEnoughTickets, ShowHasStarted, ShowMakesNoTickets
from bookings.events import BookingFailedV1
from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish


def book_show_tickets(message: BookShowTickets) -> None:
    """Book the seats; only a show that cannot seat them, or makes no tickets, is a failure: all else is tried again."""
    try:
        services.book_show_tickets(
            booking_id=UUID(message.booking_id),
            show_id=UUID(message.show_id),
            number_of_tickets=message.number_of_tickets,
            customer_email=message.customer_email,
            owner=User.objects.filter(id=message.user_id).first() if message.user_id else None,
            act=Act(at=timezone.now(), automatic="vip bundles", as_staff=True),
        )
    except (NotEnoughTickets, ShowHasStarted, ShowMakesNoTickets) as refusal:
        publish(BookingFailedV1(booking_id=message.booking_id, failure_reason=refusal.detail))

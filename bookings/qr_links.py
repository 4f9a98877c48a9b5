"""The link to a ticket's QR code as mails carry it: its key opens it without an account, for whoever has the mail."""

from uuid import UUID

from django.conf import settings
from django.core.signing import Signer
from django.urls import reverse
from django.utils.crypto import constant_time_compare


def qr_code_url(ticket_id: UUID) -> str:
    """Return the whole address, with its key."""
    return f"{settings.SITE_URL}{reverse('api-ticket-qr', args=[ticket_id])}?key={_key(ticket_id)}"


def opens(key: str, ticket_id: UUID) -> bool:
    """Tell whether this is the ticket's key."""
    return constant_time_compare(key, _key(ticket_id))


def _key(ticket_id: UUID) -> str:
    return Signer(salt="bookings.qr_links").signature(str(ticket_id))

"""Writes of the ops read model: one upsert per fact, of that fact's columns alone.

A fact that is told again, in whatever order, leaves what was told of the earliest time: any order and any repetition
of the same messages come to the same rows.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from tickets_project.values import Money

_BOOKED = """
    INSERT INTO bookings_opsbooking AS known (booking_id, booked_at, show_id, number_of_tickets, customer_email)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (booking_id) DO UPDATE
    SET booked_at = excluded.booked_at, show_id = excluded.show_id,
        number_of_tickets = excluded.number_of_tickets, customer_email = excluded.customer_email
    WHERE known.booked_at IS NULL
        OR (excluded.booked_at, excluded.show_id, excluded.number_of_tickets, excluded.customer_email)
            < (known.booked_at, known.show_id, known.number_of_tickets, known.customer_email)
"""
_CONFIRMED = """
    INSERT INTO bookings_opsticket AS known
        (ticket_id, confirmed_at, customer_email, price_amount, price_currency, booking_id, file_name, receipt_number)
    VALUES (%s, %s, %s, %s, %s, %s, '', '')
    ON CONFLICT (ticket_id) DO UPDATE
    SET confirmed_at = excluded.confirmed_at, customer_email = excluded.customer_email,
        price_amount = excluded.price_amount, price_currency = excluded.price_currency,
        booking_id = excluded.booking_id
    WHERE known.confirmed_at IS NULL
        OR (excluded.confirmed_at, excluded.customer_email, excluded.price_amount, excluded.price_currency,
            coalesce(excluded.booking_id::text, ''))
            < (known.confirmed_at, known.customer_email, known.price_amount, known.price_currency,
               coalesce(known.booking_id::text, ''))
"""
_PRINTED = """
    INSERT INTO bookings_opsticket AS known
        (ticket_id, printed_at, file_name, customer_email, price_currency, receipt_number)
    VALUES (%s, %s, %s, '', '', '')
    ON CONFLICT (ticket_id) DO UPDATE
    SET printed_at = excluded.printed_at, file_name = excluded.file_name
    WHERE known.printed_at IS NULL
        OR (excluded.printed_at, excluded.file_name) < (known.printed_at, known.file_name)
"""
_RECEIPT = """
    INSERT INTO bookings_opsticket AS known
        (ticket_id, receipt_issued_at, receipt_number, customer_email, price_currency, file_name)
    VALUES (%s, %s, %s, '', '', '')
    ON CONFLICT (ticket_id) DO UPDATE
    SET receipt_issued_at = excluded.receipt_issued_at, receipt_number = excluded.receipt_number
    WHERE known.receipt_issued_at IS NULL
        OR (excluded.receipt_issued_at, excluded.receipt_number) < (known.receipt_issued_at, known.receipt_number)
"""
_REFUNDED = """
    INSERT INTO bookings_opsticket AS known
        (ticket_id, refunded_at, customer_email, price_currency, file_name, receipt_number)
    VALUES (%s, %s, '', '', '', '')
    ON CONFLICT (ticket_id) DO UPDATE
    SET refunded_at = excluded.refunded_at
    WHERE known.refunded_at IS NULL OR excluded.refunded_at < known.refunded_at
"""


def record_booked(
    *, booking_id: UUID, show_id: UUID, number_of_tickets: int, customer_email: str, at: datetime
) -> None:
    """Know that a show was booked."""
    _tell(_BOOKED, booking_id, at, show_id, number_of_tickets, customer_email)


def record_confirmed(
    *, ticket_id: UUID, booking_id: UUID | None, customer_email: str, price: Money, at: datetime
) -> None:
    """Know that a ticket was confirmed, and to which booking it belongs; None when the vendor does not say."""
    _tell(_CONFIRMED, ticket_id, at, customer_email, price.amount, price.currency, booking_id)


def record_printed(*, ticket_id: UUID, file_name: str, at: datetime) -> None:
    """Know that a ticket was printed."""
    _tell(_PRINTED, ticket_id, at, file_name)


def record_receipt(*, ticket_id: UUID, number: str, issued_at: datetime) -> None:
    """Know that a ticket's receipt was issued."""
    _tell(_RECEIPT, ticket_id, issued_at, number)


def record_refunded(*, ticket_id: UUID, at: datetime) -> None:
    """Know that a ticket's money went back."""
    _tell(_REFUNDED, ticket_id, at)


def _tell(statement: str, *values: UUID | datetime | Decimal | str | int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)

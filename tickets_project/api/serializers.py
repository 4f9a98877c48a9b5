"""How bodies are read and written: strict objects, money, and times with their offset."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tickets_project.api.currencies import CURRENCIES
from tickets_project.values import Money

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,7})(\.[0-9]{1,2})?")
# RFC 3339, section 5.6, without its offset, and the offset.
_LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?")
_OFFSET = re.compile(r"(Z|[+-][0-9]{2}:[0-9]{2})\Z")


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that takes no field which it does not know, nor one that is only answered."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values.

        :raises ValidationError: with every wrong and every unknown field
        """
        unknown = self._unknown(data)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**_by_field(error), **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def _unknown(self, data: Any) -> dict[str, list[str]]:
        names = data if isinstance(data, Mapping) else ()
        known = {name for name, field in self.fields.items() if not field.read_only}
        return {name: ["Unknown field."] for name in names if name not in known}


def _by_field(error: serializers.ValidationError) -> Mapping[str, Any]:
    return error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}


class TextField(serializers.CharField):
    """A JSON string; DRF's own field takes numbers too."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction; DRF's own field takes strings too."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(serializers.UUIDField):
    """A UUID as a JSON string; DRF's own field takes numbers too."""

    def to_internal_value(self, data: Any) -> UUID:
        """Return the id."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        found: UUID = super().to_internal_value(data)
        return found


@extend_schema_field({"type": "string", "pattern": f"^{_AMOUNT.pattern}$", "examples": ["50.30"]})
class AmountField(serializers.Field[Decimal, Any, str, Any]):
    """An amount of money as a decimal string, from 0 to 99999999.99."""

    default_error_messages = {
        "invalid": 'Give a decimal string from 0 to 99999999.99 with at most two decimals, such as "50.30".'
    }

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the amount with two decimals."""
        if not (isinstance(data, str) and _AMOUNT.fullmatch(data)):
            self.fail("invalid")
        return Decimal(data).quantize(Decimal("0.01"))

    def to_representation(self, value: Decimal) -> str:
        """Return the amount with two decimals."""
        return f"{value:.2f}"


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]})
class CurrencyField(serializers.Field[str, Any, str, Any]):
    """A currency code of ISO 4217."""

    default_error_messages = {"invalid": "Give a currency code of ISO 4217 in capital letters, such as EUR."}

    def to_internal_value(self, data: Any) -> str:
        """Return the code."""
        if not (isinstance(data, str) and data in CURRENCIES):
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        """Return the code."""
        return value


class MoneySerializer(StrictSerializer):
    """Money in and out: `{"amount": "50.30", "currency": "EUR"}` and `values.Money`."""

    amount = AmountField()
    currency = CurrencyField()

    def to_internal_value(self, data: Any) -> Money:
        """Return the money."""
        return Money(**super().to_internal_value(data))


class UtcDateTimeField(serializers.DateTimeField):
    """A time in RFC 3339; it must say its offset, and is answered in UTC as in 2026-01-01T12:00:00Z."""

    default_error_messages = {
        "invalid": "Give a time such as 2026-01-01T12:00:00Z.",
        "offset": "Give the time's offset from UTC too, as in 2026-01-01T12:00:00Z or 2026-01-01T13:00:00+01:00.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        """Return the time in UTC."""
        text = value.upper() if isinstance(value, str) else ""
        local = _OFFSET.sub("", text)
        if not _LOCAL_TIME.fullmatch(local):
            self.fail("invalid")
        if local == text:
            self.fail("offset")
        return self._in_utc(text)

    def _in_utc(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")

    def to_representation(self, value: datetime) -> str:
        """Return the time in UTC."""
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

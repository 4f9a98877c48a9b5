"""Query parameters that take what bodies take."""

from datetime import datetime
from typing import Any

from django import forms
from django_filters import Filter
from rest_framework.serializers import ValidationError

from tickets_project.api.serializers import UtcDateTimeField


class _InstantFormField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return _instant(text) if text else None


def _instant(text: str) -> datetime:
    try:
        return UtcDateTimeField().to_internal_value(text)
    except ValidationError as error:
        raise forms.ValidationError([str(detail) for detail in error.detail]) from error


class InstantFilter(Filter):
    """A time in RFC 3339 with its offset, as in 2026-01-01T12:00:00Z."""

    field_class = _InstantFormField

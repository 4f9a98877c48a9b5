"""The column type that Django lacks."""

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    BigIntegerField = models.BigIntegerField[int, int]
else:
    BigIntegerField = models.BigIntegerField


class IdentityField(BigIntegerField):
    """A bigint that PostgreSQL numbers by itself, beside a primary key of another type.

    To migrations it is a plain bigint, to which one of them adds the identity.
    """

    # Left out of INSERT and UPDATE, and read back by RETURNING.
    generated = True
    db_returning = True

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return the plain field."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.BigIntegerField", list(arguments), options

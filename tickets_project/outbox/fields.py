"""The column type that Django lacks."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    BigIntegerField = models.BigIntegerField[int, int]
else:
    BigIntegerField = models.BigIntegerField


class IdentityField(BigIntegerField):
    """A bigint that PostgreSQL numbers by itself, beside a primary key of another type."""

    generated = True
    db_returning = True

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002 - PostgreSQL is the only one
        """Return the identity column's definition."""
        return "bigint GENERATED ALWAYS AS IDENTITY"

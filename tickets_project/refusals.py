"""The anticipated refusals: the root of every app's errors.py."""

from typing import Any, ClassVar


class DomainError(Exception):
    """The request cannot be done in the present state."""

    code: ClassVar[str] = "conflict"

    def __init__(self, detail: str = "", **extensions: Any) -> None:
        """Take a message for people (the class's docstring by default) and fields for machines."""
        self.detail = detail or " ".join((type(self).__doc__ or "").split())
        self.extensions = extensions
        super().__init__(self.detail)


class InvalidInput(DomainError):
    """The input is not acceptable."""

    code = "invalid"


class NotFound(DomainError):
    """There is no such object."""

    code = "not_found"

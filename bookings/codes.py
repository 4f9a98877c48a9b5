"""Codes that people read aloud and scanners read: no letter or digit that looks like another."""

import secrets

CONFIRMATION_LENGTH = 10

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def confirmation_code() -> str:
    """Return ten characters, 49 bits: unique in practice, and unique by constraint."""
    return _code(CONFIRMATION_LENGTH)


def redemption_code() -> str:
    """Return sixteen characters, 78 bits: not to be guessed at the door."""
    return _code(16)


def activation_code() -> str:
    """Return eight characters, 39 bits: typed by a holder who must own the ticket besides."""
    return _code(8)


def tidied(code: str) -> str:
    """Return a code as it is stored, from how people type it and scanners send it."""
    return "".join(code.split()).replace("-", "").upper()


def _code(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))

"""Codes that people read aloud and scanners read: no letter or digit that looks like another."""

import secrets

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def confirmation_code() -> str:
    """Return ten characters, 49 bits: unique in practice, and unique by constraint."""
    return _code(10)


def redemption_code() -> str:
    """Return sixteen characters, 78 bits: not to be guessed at the door."""
    return _code(16)


def _code(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))

"""Secrets for installations that were given none."""

import os
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes

from django.core.management.utils import get_random_secret_key


def kept_secret_key(path: Path) -> str:
    """Return the key kept in the file, readable by its owner alone; several processes may ask at once."""
    return _kept(path, get_random_secret_key)


def kept_webhook_secret(path: Path) -> str:
    """Return the Standard Webhooks secret kept in the file, in the same way."""
    return _kept(path, lambda: f"whsec_{b64encode(token_bytes(32)).decode()}")


def _kept(path: Path, make: Callable[[], str]) -> str:
    with suppress(FileExistsError):
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(make(), encoding="utf-8")
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8")

"""A secret key for installations that were given none."""

import os
from contextlib import suppress
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def kept_secret_key(path: Path) -> str:
    """Return the key kept in the file, readable by its owner alone; several processes may ask at once."""
    with suppress(FileExistsError):
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(get_random_secret_key(), encoding="utf-8")
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8")

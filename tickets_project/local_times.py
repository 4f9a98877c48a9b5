"""Times as people read them, at the place where the shows are."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def local_time(at: datetime, time_zone: str) -> str:
    """Return a time in a zone with an IANA name: Saturday 2 May 2026, 20:00 (Europe/Madrid, UTC+02:00)."""
    local = at.astimezone(ZoneInfo(time_zone))
    zone = time_zone if time_zone == "UTC" else f"{time_zone}, {_offset(local)}"
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} ({zone})"


def _offset(at: datetime) -> str:
    minutes = int((at.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"

"""What lets both ends of a connection to PostgreSQL notice that the other one is gone, within seconds.

A host that loses its power or its network says no goodbye. By the defaults of Linux the server would keep its
transactions, and their locks, for two hours, and a cut-off process would wait as long for an answer.

Sources: the sections "Parameter Key Words" of libpq, and "TCP Settings" and "Client Connection Defaults" of the server,
in PostgreSQL's manual.
"""

from collections.abc import Mapping
from typing import Any

# An idle connection is asked for a sign of life after four seconds, and lost when there is none for another six.
_ASKED_AFTER, _ASKED_EVERY, _ASKED_TIMES = 4, 2, 3
LOST_AFTER_SECONDS = _ASKED_AFTER + _ASKED_EVERY * _ASKED_TIMES

_OURS: dict[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": _ASKED_AFTER,
    "keepalives_interval": _ASKED_EVERY,
    "keepalives_count": _ASKED_TIMES,
    # For what was sent, and is not confirmed.
    "tcp_user_timeout": LOST_AFTER_SECONDS * 1000,
}
_THE_SERVERS: dict[str, int | str] = {
    "tcp_keepalives_idle": _ASKED_AFTER,
    "tcp_keepalives_interval": _ASKED_EVERY,
    "tcp_keepalives_count": _ASKED_TIMES,
    "tcp_user_timeout": f"{LOST_AFTER_SECONDS}s",
    # While a statement runs, or waits for a lock, nobody reads the connection.
    "client_connection_check_interval": "2s",
    # A process that hangs keeps its connection alive, for its kernel answers.
    "idle_in_transaction_session_timeout": "60s",
}


def noticing_loss(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a database's options with these; those that it has already win."""
    # Of a setting that is named twice, the server takes the last.
    servers = " ".join([*(f"-c {name}={value}" for name, value in _THE_SERVERS.items()), options.get("options", "")])
    return {**_OURS, **options, "options": servers.strip()}

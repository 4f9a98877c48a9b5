"""What takes the place of the STOMP broker for django-outbox-pattern."""

import json
from typing import Any

from bench.effects import take_effect


class NoBroker:
    """Stands in for the STOMP connection."""

    def __init__(self, **_address: Any) -> None:
        pass

    def connect(self, **_credentials: Any) -> None:
        """Be connected."""

    def disconnect(self) -> None:
        """Stay connected."""

    def is_connected(self) -> bool:
        """Return True."""
        return True

    def send(self, *, body: str, **_headers: Any) -> None:
        """Handle the event at once."""
        take_effect(json.loads(body)["event"])

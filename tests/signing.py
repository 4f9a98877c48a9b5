"""Signing as the vendor does."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rest_framework.test import APIClient
from standardwebhooks import Webhook

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def signature(body: bytes, *, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    """Return the headers of a signed body."""
    at, message_id = at or datetime.now(UTC), f"msg_{uuid4()}"
    signed = Webhook(secret).sign(message_id, at, body.decode(errors="replace"))
    return {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signed}


def post_signed(client: APIClient, path: str, body: Any, **headers: str) -> Any:
    """Send a body, signed unless a header replaces that."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, raw, content_type="application/json", headers=signature(raw) | headers)

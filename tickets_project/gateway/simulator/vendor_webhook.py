"""Our vendor webhook as the vendor calls it: signed, tried again, and noted.

The signature is the one of the Standard Webhooks specification (standardwebhooks.com): `webhook-id`,
`webhook-timestamp` and `webhook-signature` over `id.timestamp.body`.
"""

import asyncio
import re
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import uuid4

from msgspec import Struct, json
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

Tickets = list[dict[str, Any]]

_ADDRESS = re.compile(r"http://[!\"$->A-~]+")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
# Twenty tries in about half a minute.
_PAUSES = (0.1, 0.2, 0.4, 0.8, *[1.75] * 16)
_AT_ONCE = 8
_MOST_CALLBACKS = 10_000


class Callback(Struct):
    """One callback and what came of it; no status: the latest try has no answer, or none yet."""

    idempotency_key: str
    tickets: Tickets
    tries: int = 0
    status: int | None = None

    def is_settled(self) -> bool:
        """Tell whether it was answered for good; what passes by itself is worth another try."""
        passing = {None, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}
        return self.status not in passing and (self.status or 0) < HTTPStatus.INTERNAL_SERVER_ERROR


class VendorWebhook:
    """Makes the callbacks as tasks of the running event loop, which end with it.

    :param url: no callback is made without one
    :param secret: `whsec_…`; without one nothing is signed
    :param pauses: the seconds after each try; there are as many tries
    :param patience: the seconds that a try waits for its answer
    :raises ValueError: if the address or the secret is of no use
    """

    def __init__(self, url: str | None, secret: str, *, pauses: Sequence[float] = _PAUSES, patience: float = 5) -> None:
        self.made: deque[Callback] = deque(maxlen=_MOST_CALLBACKS)
        self._target = _target(url) if url else None
        self._signer = _signer(secret) if secret else None
        self._pauses = pauses
        self._patience = patience
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_AT_ONCE)

    def tell(self, news: Iterable[Tickets], *, delay: float = 0) -> None:
        """Start to make one callback for each list of tickets, one after the other.

        :param delay: the seconds before the first
        """
        if self._target:
            task = asyncio.get_running_loop().create_task(self._tell(self._target, news, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def reset(self) -> None:
        """Forget the callbacks that were made, and make no more."""
        for task in self._tasks:
            task.cancel()
        self.made.clear()

    async def _tell(self, target: SplitResult, news: Iterable[Tickets], delay: float) -> None:
        await asyncio.sleep(delay)
        for tickets in news:
            callback = Callback(idempotency_key=str(uuid4()), tickets=tickets)
            self.made.append(callback)
            await self._make(target, callback)

    async def _make(self, target: SplitResult, callback: Callback) -> None:
        for pause in self._pauses:
            async with self._places:
                callback.tries += 1
                callback.status = await self._status(target, self._request(target, callback))
            if callback.is_settled():
                return
            await asyncio.sleep(pause)

    async def _status(self, target: SplitResult, request: bytes) -> int | None:
        try:
            async with asyncio.timeout(self._patience):
                answer = await _exchange(target, request)
        except (OSError, UnicodeError):  # the latter for a host that cannot be a name
            return None
        match = _STATUS_LINE.match(answer)
        return int(match[1]) if match else None

    def _request(self, target: SplitResult, callback: Callback) -> bytes:
        body = json.encode({"tickets": callback.tickets})
        headers = {
            "Host": target.netloc,
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": len(body),
            "Idempotency-Key": callback.idempotency_key,
            **self._signature(f"msg_{callback.idempotency_key}", body),
        }
        lines = [f"POST {target.path or '/'} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    def _signature(self, message_id: str, body: bytes) -> dict[str, str]:
        if self._signer is None:
            return {}
        # The library signs another moment than the one given when the zone is not UTC.
        now = datetime.now(UTC)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(message_id, now, body.decode()),
        }


async def _exchange(target: SplitResult, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(target.hostname, target.port or 80)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.transport.abort()


def _target(url: str) -> SplitResult:
    try:
        target = urlsplit(url)
        usable = _ADDRESS.fullmatch(url) and target.hostname and target.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        usable = None
    if not usable:
        raise ValueError(f"The vendor webhook's address must be like http://host:port/path, not {url!r}.")
    return target


def _signer(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise ValueError("VENDOR_WEBHOOK_SECRET must be whsec_ and the key in base64.") from error

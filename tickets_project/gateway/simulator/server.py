"""The server: one thread that answers every connection, for the command and for tests."""

import asyncio
import socket
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from tickets_project.gateway.simulator.calls import Calls
from tickets_project.gateway.simulator.control import PREFIX, Control
from tickets_project.gateway.simulator.dead_nation import DeadNation
from tickets_project.gateway.simulator.faults import Fault, Faults
from tickets_project.gateway.simulator.files import Files
from tickets_project.gateway.simulator.operations import Operation, Operations, Service
from tickets_project.gateway.simulator.payments import Payments
from tickets_project.gateway.simulator.receipts import Receipts
from tickets_project.gateway.simulator.spreadsheets import Spreadsheets
from tickets_project.gateway.simulator.transportation import Flights, Taxis
from tickets_project.gateway.simulator.vendor import Vendor
from tickets_project.gateway.simulator.vendor_webhook import VendorWebhook
from tickets_project.gateway.simulator.wire import Answer, Refusal, Request, json_answer, read_request

_BACKLOG = 512


class Simulator:
    """Serves while its `with` block runs, in a thread of its own.

    :param port: 0 takes a free one; `url` tells which
    :param files: the folder of the files service
    :param latency_ms: milliseconds that each call of an operation takes
    :param vendor_webhook_url: where the vendor tells of its tickets; nowhere without one
    :param vendor_webhook_secret: what signs that, `whsec_…`; unsigned without one
    :raises ValueError: if the webhook's address or secret is of no use
    """

    def __init__(  # noqa: PLR0913 - each is an option of the command
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        files: Path,
        latency_ms: int = 0,
        vendor_webhook_url: str | None = None,
        vendor_webhook_secret: str = "",
    ) -> None:
        vendor = Vendor(VendorWebhook(vendor_webhook_url, vendor_webhook_secret))
        flights, taxis = Flights(), Taxis()
        services: tuple[Service, ...] = (
            Files(files),
            Receipts(),
            Payments(),
            Spreadsheets(),
            DeadNation(vendor),
            flights,
            taxis,
        )
        self._operations = Operations(operation for service in services for operation in service.operations())
        self._faults = Faults()
        self._calls = Calls()
        control = Control(services, self._operations, self._faults, self._calls)
        self._controls = Operations((*control.operations(), *vendor.controls(), *flights.controls(), *taxis.controls()))
        self._address = (host, port)
        self._latency = latency_ms / 1000
        self._stopping: Future[None] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), name="gateway-simulator")

    def __enter__(self) -> Self:
        """Listen and serve.

        :raises OSError: if the address cannot be listened on
        """
        self._socket = socket.create_server(self._address)
        self.url = "http://{}:{}".format(*self._socket.getsockname())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Break off what is still going on and free the port."""
        self._stopping.set_result(None)
        self._thread.join()

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._converse, sock=self._socket, backlog=_BACKLOG):
            await asyncio.wrap_future(self._stopping)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether the connection goes on."""
        try:
            request = await read_request(reader, writer)
        except Refusal as refusal:
            writer.write(refusal.answer.encoded(closes=True, bodiless=False))
            return False
        if request is None:
            return False
        answer = await self._answer(request)
        writer.write(answer.encoded(closes=request.closes, bodiless=request.method == "HEAD"))
        await writer.drain()
        return not request.closes

    async def _answer(self, request: Request) -> Answer:
        try:
            if request.path.startswith(PREFIX):
                control, arguments = self._controls.find(request)
                return control.answer(request, arguments)
            return await self._play(request)
        except Refusal as refusal:
            return refusal.answer

    async def _play(self, request: Request) -> Answer:
        """Let the request's operation answer, after the latency and with its fault, if any."""
        operation, arguments = self._operations.find(request)
        call = self._calls.record(operation.name, request)
        await asyncio.sleep(self._latency)
        fault = self._faults.take(operation.name)
        if fault:
            answer = await _misbehave(fault, operation, request, arguments)
        else:
            answer = operation.answer(request, arguments)
        call.status = answer.status
        return answer


async def _misbehave(fault: Fault, operation: Operation, request: Request, arguments: dict[str, str]) -> Answer:
    """Answer as the fault says.

    :raises ConnectionAbortedError: to have the connection dropped
    """
    if fault.drop == "before":
        raise ConnectionAbortedError("dropped before the effect")
    if fault.status is None:
        answer = operation.answer(request, arguments)
    else:
        answer = json_answer(fault.status, {"error": "The simulator was told to answer this."})
    await asyncio.sleep((fault.delay_ms or 0) / 1000)
    if fault.drop == "after":
        raise ConnectionAbortedError("dropped after the effect")
    return answer

"""A mail server (RFC 5321) that keeps what it takes, and refuses as it is told."""

import socketserver
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from threading import Thread
from types import TracebackType
from typing import Self


@dataclass
class SmtpSink:
    """Listens from start() to stop(), always on the same port.

    :param refusals: the answer to a verb instead of the usual one, such as `{"RCPT": "550 5.1.1 unknown"}`
    :param drops: how many connections break once the mail is taken, before the client is told
    """

    refusals: dict[str, str] = field(default_factory=dict)
    drops: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0
    _server: "_Server | None" = None
    _thread: Thread | None = None

    def __enter__(self) -> Self:
        # Reserves the port; a socket that is bound and does not listen refuses connections.
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server:
            self.stop()

    def start(self) -> None:
        """Be up."""
        assert self._server
        self._server.server_activate()
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        """Be down for good."""
        assert self._server
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server = None


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self, sink: SmtpSink) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation, bind_and_activate=False)
        self.sink = sink
        self.server_bind()


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        sink, sender, recipient = self.server.sink, "", ""
        self._say("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "MAIL":
                sender = line
            if verb == "RCPT":
                recipient = line
            if verb in sink.refusals:
                self._say(sink.refusals[verb])
            elif verb == "DATA":
                self._say("354 go on")
                sink.mails.append(self._mail())
                sink.envelopes.append((sender, recipient))
                if sink.drops:
                    sink.drops -= 1
                    return
                self._say(sink.refusals.get(".", "250 taken"))
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _mail(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        return BytesParser(policy=policy.default).parsebytes(b"".join(lines))

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())

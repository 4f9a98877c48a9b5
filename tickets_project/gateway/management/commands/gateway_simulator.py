"""Serve the upstream services for the demo, the tests and the benchmarks."""

import errno
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tickets_project.gateway.simulator.server import Simulator

_HIGHEST_PORT = 65_535
_VENDOR_WEBHOOK = "http://127.0.0.1:8000/api/v1/vendor/tickets-status/"
_STOPS = {signal.SIGTERM, signal.SIGINT}


class Command(BaseCommand):
    """Serve until SIGTERM or SIGINT."""

    help = "Serve every upstream service on one address; POST /_simulator/faults makes them misbehave."
    # The simulator uses neither the database nor the subscriptions.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address, the latency, the folder and the vendor's way to us."""
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=settings.GATEWAY_PORT, help="0 takes a free one (%(default)s)")
        parser.add_argument("--latency-ms", type=int, default=0, help="time that each call takes (%(default)s)")
        parser.add_argument(
            "--files",
            type=Path,
            default=settings.VAR_DIR / "files",
            help="the folder of the files service, emptied by POST /_simulator/reset (%(default)s)",
        )
        parser.add_argument(
            "--vendor-webhook-url",
            default=_VENDOR_WEBHOOK,
            help="where the vendor calls back, signed with VENDOR_WEBHOOK_SECRET; '' is nowhere (%(default)s)",
        )

    def handle(self, *, host: str, port: int, files: Path, **options: Any) -> None:
        """Serve, and return when told to stop.

        :raises CommandError: if an address, the folder or the secret is of no use
        """
        if not 0 <= port <= _HIGHEST_PORT:
            raise CommandError(f"GATEWAY_PORT (or --port) must be from 0 to {_HIGHEST_PORT}, not {port}.")
        # Blocked before the serving thread starts, so that sigwait() alone receives them.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            with Simulator(
                host=host,
                port=port,
                files=files,
                latency_ms=options["latency_ms"],
                vendor_webhook_url=options["vendor_webhook_url"],
                vendor_webhook_secret=settings.VENDOR_WEBHOOK_SECRET,
            ) as simulator:
                self.stdout.write(f"The gateway simulator serves on {simulator.url}, with its files in {files}.")
                self.stdout.flush()
                signal.sigwait(_STOPS)
        except (OSError, ValueError) as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            raise CommandError(_advice(error, host, port, files)) from error


def _advice(error: OSError | ValueError, host: str, port: int, files: Path) -> str:
    if isinstance(error, ValueError):
        return str(error)
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is taken: stop what listens there, or set GATEWAY_PORT (or --port) to a free one."
        )
    if error.filename:
        return f"The folder {files} cannot be used: {error}."
    return f"Cannot listen on {host}, port {port}: {error}. Set --host, or GATEWAY_PORT (or --port)."

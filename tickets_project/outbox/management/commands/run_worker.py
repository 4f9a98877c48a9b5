"""`run_worker`: the process that delivers messages and runs the schedules."""

from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tickets_project.metrics.exposing import serve
from tickets_project.outbox.worker.supervising import Supervisor

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Starts and supervises a django-q2 cluster."""

    help = "Deliver messages and run the schedules until SIGTERM or Ctrl-C; the work in hand is finished."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Run the supervisor."""
        if settings.METRICS_PORT:
            try:
                serve(settings.METRICS_PORT)
            except OSError as error:
                raise CommandError(
                    f"METRICS_PORT {settings.METRICS_PORT} is not to be had: {error.strerror}."
                ) from error
        Supervisor(say=log.info).run()

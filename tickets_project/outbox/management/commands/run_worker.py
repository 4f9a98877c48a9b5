"""`run_worker`: the process that delivers messages and runs the schedules."""

from typing import Any

from django.core.management.base import BaseCommand

from tickets_project.outbox.worker.supervising import Supervisor


class Command(BaseCommand):
    """Starts and supervises a django-q2 cluster."""

    help = "Deliver messages and run the schedules until SIGTERM or Ctrl-C; the work in hand is finished."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Run the supervisor."""
        Supervisor(say=self.stdout.write).run()

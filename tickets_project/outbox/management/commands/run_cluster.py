"""`run_cluster`: what `run_worker` starts and supervises."""

from typing import Any

from django_q.management.commands import qcluster

from tickets_project.outbox.worker.cluster import prepare_cluster


class Command(qcluster.Command):  # type: ignore[misc] # django-q2 has no types
    """Starts a django-q2 cluster that stands the death of its processes."""

    help = "Run a bare cluster; `run_worker` starts one, and sees that it goes on."

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Run it until SIGTERM."""
        prepare_cluster()
        super().handle(*arguments, **options)

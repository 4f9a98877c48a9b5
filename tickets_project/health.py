"""Health: whether the process is up, and whether the installation can do its work."""

from datetime import timedelta
from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tickets_project.outbox.worker.presence import at_work

WORKER_SILENCE = timedelta(seconds=60)


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process serves requests."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database, its migrations and a worker are there, or else 503 and which one is not."""
    checks = _checks()
    failed = any(answer != "ok" for answer in checks.values())
    return JsonResponse({"status": "unavailable" if failed else "ok", "checks": checks}, status=503 if failed else 200)


def _checks() -> dict[str, str]:
    try:
        connection.ensure_connection()
        migrations = _migrations()
        # The worker's table may be one of those that are missing.
        return {"database": "ok", "migrations": migrations, "worker": _worker() if migrations == "ok" else "unknown"}
    except DatabaseError:
        connection.close()
        return {"database": "not reachable", "migrations": "unknown", "worker": "unknown"}


def _migrations() -> str:
    recorded = MigrationRecorder(connection).applied_migrations()
    missing = len(_all_migrations() - set(recorded))
    return f"{missing} missing: run manage.py migrate" if missing else "ok"


@cache
def _all_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of this code, which are the same as long as the process lives."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _worker() -> str:
    if at_work(within=WORKER_SILENCE).exists():
        return "ok"
    return f"none seen for {WORKER_SILENCE.seconds} seconds: start manage.py run_worker"

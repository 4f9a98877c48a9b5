"""`/metrics`: what the processes of this host have counted, and what the database says."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from tickets_project.metrics.exposing import counted, may_read
from tickets_project.metrics.gauges import DatabaseGauges


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in the format that Prometheus asks for."""
    if not may_read(request.headers.get("Authorization", "")):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = counted()
    registry.register(DatabaseGauges())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)

"""Telemetry as a Django app: being installed is what turns it on."""

from importlib.util import find_spec

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured


class TelemetryConfig(AppConfig):
    """Starts recording when Django starts."""

    name = "tickets_project.telemetry"
    label = "telemetry"

    def ready(self) -> None:
        """Put the recorder in.

        :raises ImproperlyConfigured: if OpenTelemetry is not installed
        """
        if find_spec("opentelemetry") is None:
            raise ImproperlyConfigured("TRACING needs OpenTelemetry: pip install -r requirements-otel.txt")
        from tickets_project.spans import record_spans
        from tickets_project.telemetry.recording import exporting_recorder

        record_spans(exporting_recorder())

"""Tracing by OpenTelemetry: an app that is there only when TRACING is on."""

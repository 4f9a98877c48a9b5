"""The gateway as a Django app, so that its command is found."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """No tables: the upstream services keep the state."""

    name = "tickets_project.gateway"
    label = "gateway"

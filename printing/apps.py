"""Printing as a Django app."""

from django.apps import AppConfig


class PrintingConfig(AppConfig):
    """Knows tickets by their ids and by what is printed on them."""

    name = "printing"

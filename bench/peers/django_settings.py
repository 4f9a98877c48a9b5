"""Django for the peers that use it: nothing but the database, on a connection that persists."""

import os
from typing import Any

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict


def set_up_django(*apps: str, **more: Any) -> None:
    """Configure Django with these apps and settings."""
    address = conninfo_to_dict(os.environ["DATABASE_URL"])
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address["dbname"],
        "USER": address["user"],
        "PASSWORD": address.get("password", ""),
        "HOST": address["host"],
        "PORT": address["port"],
        "CONN_MAX_AGE": None,
    }
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["bench", *apps],
        SECRET_KEY="bench",  # noqa: S106 - signs what never leaves the benchmark
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        **more,
    )
    django.setup()

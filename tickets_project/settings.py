"""The settings of the project, read once from the environment; the README has a table of them.

Without any variable everything runs on embedded defaults: a PostgreSQL server and a secret key under var/,
and the gateway simulator.
"""

import os
from datetime import timedelta
from email.utils import formataddr
from pathlib import Path
from typing import Any

from tickets_project.admin_pages import admin_pages
from tickets_project.admin_site.navigation import sidebar
from tickets_project.embedded_postgres import embedded_database
from tickets_project.environment import Environment
from tickets_project.logs import logging_config
from tickets_project.lost_connections import noticing_loss
from tickets_project.queue_config import queue_config
from tickets_project.secret_key import kept_secret_key, kept_webhook_secret

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

env = Environment(os.environ)

# --- what is ours ------------------------------------------------------------------------------------------------
GATEWAY_PORT = env.number("GATEWAY_PORT", default=8888, least=1, most=65535)
GATEWAY_URL = env.url("GATEWAY_URL", "http", "https", default=f"http://127.0.0.1:{GATEWAY_PORT}")
GATEWAY_TIMEOUTS = (
    env.number("GATEWAY_CONNECT_TIMEOUT", default=2, least=1, most=60),
    env.number("GATEWAY_READ_TIMEOUT", default=5, least=1, most=60),
)
# Where people reach the site, for links in e-mails.
SITE_URL = env.url("SITE_URL", "http", "https", default="http://127.0.0.1:8000")
BOOKING_HOLD_MINUTES = env.number("BOOKING_HOLD_MINUTES", default=15, least=1, most=1440)
VIP_BUNDLE_DEADLINE_MINUTES = env.number("VIP_BUNDLE_DEADLINE_MINUTES", default=15, least=1, most=1440)
# Who is told of what needs a person; empty: nobody, and the admin's first page shows it.
OPS_EMAIL = env.email_address("OPS_EMAIL")
WEBHOOKS_ALLOW_PRIVATE = env.flag("WEBHOOKS_ALLOW_PRIVATE", default=False)
TICKETS_TIME_ZONE = env.time_zone("TICKETS_TIME_ZONE", "UTC")
TICKETS_ORGANISER = env.text("TICKETS_ORGANISER", "Example Tickets")
TICKETS_CONTACT = env.text("TICKETS_CONTACT", "help@tickets.example")
TRACING = env.flag("TRACING", default=False)
EMBEDDED_DEFAULTS = [name for name in ("SECRET_KEY", "DATABASE_URL", "GATEWAY_URL", "SITE_URL") if not env.text(name)]
OUTBOX_SUBSCRIPTIONS = "tickets_project.subscriptions.SUBSCRIPTIONS"
OUTBOX_DISPATCHERS = env.number("OUTBOX_DISPATCHERS", default=2, least=1, most=64)
OUTBOX_THREADS = env.number("OUTBOX_THREADS", default=16, least=1, most=128)
OUTBOX_LEASE_SECONDS = env.number("OUTBOX_LEASE_SECONDS", default=10, least=2, most=60)
# A stop waits for the calls in hand, and a little for what records them.
OUTBOX_GRACE_SECONDS = sum(GATEWAY_TIMEOUTS) + 2
# 0 keeps them for ever; a delivery never outlives its message.
OUTBOX_KEEP_DELIVERED_DAYS = env.number("OUTBOX_KEEP_DELIVERED_DAYS", default=30, least=0, most=36500)
OUTBOX_KEEP_MESSAGES_DAYS = env.number("OUTBOX_KEEP_MESSAGES_DAYS", default=0, least=0, most=36500)
# Who knows about which aggregates messages must stay, however old they are.
OUTBOX_STILL_NEEDED = ["vip_bundles.keeping.still_needed"]
METRICS_DIR = Path(env.text("METRICS_DIR") or VAR_DIR / "metrics")
METRICS_TOKEN = env.text("METRICS_TOKEN")
# Where a worker shows what its host has counted; 0: nowhere, for the web server of the host does.
METRICS_PORT = env.number("METRICS_PORT", default=0, least=0, most=65535)
OUTBOX_WAIT_SECONDS = env.number("OUTBOX_WAIT_SECONDS", default=900, least=1, most=604800)

# --- Django ------------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY") or kept_secret_key(VAR_DIR / "secret_key")
VENDOR_WEBHOOK_SECRET = env.text("VENDOR_WEBHOOK_SECRET")
if not (VENDOR_WEBHOOK_SECRET or DEBUG) and "GATEWAY_URL" in EMBEDDED_DEFAULTS:
    # What the simulated vendor signs with; under DEBUG the webhook needs no signature.
    VENDOR_WEBHOOK_SECRET = kept_webhook_secret(VAR_DIR / "vendor_webhook_secret")
    EMBEDDED_DEFAULTS.append("VENDOR_WEBHOOK_SECRET")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
# A public name means real users, so their cookies and tokens travel over TLS alone unless it is switched off.
PUBLIC_HOSTS = [host for host in ALLOWED_HOSTS if "." in host.strip(".") and host.rstrip(".")[-1].isalpha()]
HTTPS = env.flag("HTTPS", default=bool(PUBLIC_HOSTS))

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "django_fsm",
    "django_q",
    "tickets_project.admin_site",
    "tickets_project.outbox",
    "tickets_project.gateway",
    "tickets_project.api",
    "tickets_project.audit",
    "tickets_project.notifications",
    "tickets_project.analytics",
    "bookings",
    "printing",
    "vip_bundles",
    "tickets_project.housekeeping",
    "tickets_project.demo",
    "tickets_project.roles",
    *(["tickets_project.telemetry"] if TRACING else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tickets_project.api.middleware.CorrelationMiddleware",
    "tickets_project.metrics.middleware.CountingMiddleware",
    "tickets_project.api.middleware.ReadableMiddleware",
    "tickets_project.api.middleware.EitherSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "tickets_project.urls"
WSGI_APPLICATION = "tickets_project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
_DATABASE = (
    env.database("DATABASE_URL", default="") if env.text("DATABASE_URL") else embedded_database(VAR_DIR / "postgres")
)
# Django's own queries are never prepared; publish() prepares its statement.
_PREPARED_AFTER = 5 if env.flag("PREPARED_STATEMENTS", default=True) else None
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_DATABASE,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**noticing_loss(_DATABASE.get("OPTIONS", {})), "prepare_threshold": _PREPARED_AFTER},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.url("REDIS_URL", "redis", "rediss")
CACHES: dict[str, dict[str, Any]] = {
    # Throttling and the cluster's statistics need a cache that all processes of the host share.
    "default": {"BACKEND": "tickets_project.redis_cache.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {
        "BACKEND": "tickets_project.host_cache.HostCache",
        "LOCATION": VAR_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en"
# The admin shows and takes times where the house is; the API speaks UTC.
TIME_ZONE = TICKETS_TIME_ZONE
USE_TZ = True
USE_I18N = False
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
LOGGING = logging_config(env.choice("LOG_FORMAT", "json", "console", default="console" if DEBUG else "json"))

# --- e-mail: by SMTP, by a provider through one of django-anymail's backends, or into files ------------------------
EMAIL_FILE_PATH = VAR_DIR / "mail"
vars().update({key: value for key, value in env.email("EMAIL_URL", "filemail://").items() if value})
EMAIL_BACKEND = env.text("EMAIL_BACKEND") or vars()["EMAIL_BACKEND"]
ANYMAIL = {name.removeprefix("ANYMAIL_"): value for name, value in os.environ.items() if name.startswith("ANYMAIL_")}
EMAIL_TIMEOUT = sum(GATEWAY_TIMEOUTS)
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM") or formataddr((TICKETS_ORGANISER, TICKETS_CONTACT))

# --- security ----------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Subdomains and browsers' preload lists are for the owner of the domain to decide: the latter cannot be undone.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Probes and scrapes come from inside, over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics/?$"]
X_FRAME_OPTIONS = "DENY"

# --- django-q2: the pool of processes and the schedules; what is delivered is decided in our own tables ----------
OUTBOX_DISPATCH_SECONDS = 300
Q_CLUSTER = queue_config(dispatchers=OUTBOX_DISPATCHERS, dispatch_seconds=OUTBOX_DISPATCH_SECONDS, redis_url=REDIS_URL)

# --- the API -----------------------------------------------------------------------------------------------------
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=0, least=0, most=9)
API_THROTTLE = env.rate("API_THROTTLE", "600/min")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tickets_project.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["tickets_project.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "tickets_project.api.pagination.StableCursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["tickets_project.api.throttling.TokenRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": API_THROTTLE, "login": "10/min" if API_THROTTLE else None},
    "EXCEPTION_HANDLER": "tickets_project.errors.problem_response",
    # How many proxies of ours stand before the server: without them X-Forwarded-For is anybody's claim.
    "NUM_PROXIES": TRUSTED_PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": timedelta(days=30)}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tickets",
    "DESCRIPTION": "Shows, resources, bookings and tickets: made, confirmed, redeemed, cancelled and refunded.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tickets_project.api.schema.add_problems",
        "tickets_project.api.schema.add_summaries",
    ],
}

# --- the admin ---------------------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Tickets",
    "SITE_HEADER": "Tickets",
    "SITE_SYMBOL": "confirmation_number",
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "tickets_project.dashboard.show_first_page",
    "SIDEBAR": {"show_search": False, "navigation": sidebar(admin_pages(queue_is_table=not REDIS_URL))},
}

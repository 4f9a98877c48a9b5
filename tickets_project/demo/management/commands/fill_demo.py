"""`fill_demo`: a little data to look at, and where to look."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from bookings.models import Show
from tickets_project.demo.filling import fill
from tickets_project.demo.people import ADMIN, DOOR


class Command(BaseCommand):
    """Fills an empty database; a filled one is left as it is."""

    help = "Make demo users, shows, bookings and bundles. The users' passwords are known: never run it in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the port to print."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--force", action="store_true", help="also in a database that is not the embedded one")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Fill, then print the addresses."""
        if "DATABASE_URL" not in settings.EMBEDDED_DEFAULTS and not options["force"]:
            raise CommandError("The demo makes users with known passwords; give --force to do so in DATABASE_URL.")
        if not Show.objects.exists():
            fill(at=timezone.now())
        site = f"http://127.0.0.1:{options['port']}"
        self.stdout.write(
            f"\n  Admin     {site}/admin/        (user {ADMIN}, password {ADMIN})\n"
            f"  Bundles   {site}{reverse('admin:vip_bundles_vipbundle_changelist')}\n"
            f"  Door      {site}/admin/scan/   (user {DOOR}, password {DOOR})\n"
            f"  API docs  {site}/api/v1/docs/\n"
            f"  Health    {site}/health/ready\n"
            f"  Mails     {settings.EMAIL_FILE_PATH}\n\n"
            "  Ready in a few seconds; Ctrl-C stops everything.\n"
        )

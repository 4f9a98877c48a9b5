"""Gives a user a token, for scripts and for the first call."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from knox.models import AuthToken
from knox.settings import knox_settings

_LONGEST = 3650


class Command(BaseCommand):
    """Prints the token and nothing else; it is stored as a hash and cannot be shown again."""

    help = "Print a new API token of a user, alone on a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the user's name and the token's life."""
        parser.add_argument("username")
        parser.add_argument("--days", type=int, help="how long it works (default: as long as a token from the login)")

    def handle(self, *args: Any, username: str, days: int | None, **options: Any) -> None:
        """Make and print the token."""
        del args, options
        _, token = AuthToken.objects.create(user=_active_user(username), expiry=_life(days))
        self.stdout.write(token)


def _active_user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f'There is no user "{username}".')
    if not user.is_active:
        raise CommandError(f'The user "{username}" is not active.')
    return user


def _life(days: int | None) -> timedelta:
    if days is None:
        ttl: timedelta = knox_settings.TOKEN_TTL
        return ttl
    if not 1 <= days <= _LONGEST:
        raise CommandError(f"--days takes a number from 1 to {_LONGEST}.")
    return timedelta(days=days)

"""Pages of the admin, as members of staff read them."""

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.factories import StaffFactory


def logged_in(user: User) -> Client:
    """Return a client of this user."""
    client = Client()
    client.force_login(user)
    return client


def staff_with(*codenames: str) -> Client:
    """Return a client of a member of staff who has these permissions alone."""
    staff = StaffFactory.create(role="")
    staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return logged_in(staff)


def results(client: Client, address: str) -> list[Any]:
    """Return the rows of a list."""
    return list(client.get(address).context["cl"].result_list)


def page(client: Client, address: str) -> str:
    """Return a page that opens."""
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def said_after(client: Client, address: str, **said: Any) -> str:
    """Return the page that a posted form leads to."""
    return client.post(address, said, follow=True).content.decode()


def section(client: Client, address: str, title: str) -> list[Any]:
    """Return the rows of one of a detail page's tables."""
    [rows] = [found.rows for found in client.get(address).context["sections"] if found.title == title]
    return [list(row) for row in rows]


def labels(client: Client, address: str) -> list[str]:
    """Return the names of a detail page's fields."""
    fieldsets = client.get(address).context["adminform"]
    return [str(field.field["label"]) for fieldset in fieldsets for line in fieldset for field in line]

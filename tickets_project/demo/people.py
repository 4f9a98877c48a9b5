"""The people of the demo; each one's password is the name."""

from django.contrib.auth.models import Group, User

ADMIN, CUSTOMER, DOOR = "admin", "customer", "door"


def make_admin() -> User:
    """Make the member of staff who may do everything."""
    return _user(ADMIN, is_staff=True, is_superuser=True)


def make_customer() -> User:
    """Make the one who buys."""
    return _user(CUSTOMER)


def make_door() -> User:
    """Make the one who lets people in."""
    door = _user(DOOR, is_staff=True)
    door.groups.add(Group.objects.get(name="door"))
    return door


def _user(name: str, **rights: bool) -> User:
    user, is_new = User.objects.get_or_create(username=name, defaults={"email": f"{name}@tickets.example", **rights})
    if is_new:
        user.set_password(name)
        user.save()
    return user

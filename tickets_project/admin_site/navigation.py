"""Who sees which link of the admin's sidebar."""

from django.http import HttpRequest


def may_view(request: HttpRequest, *, model: str) -> bool:
    """Tell whether the user may open the list of a model, given as `bookings_show`."""
    app, _, name = model.rpartition("_")
    return any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))

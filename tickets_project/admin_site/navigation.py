"""The admin's sidebar: which links there are, and who sees which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy


@dataclass(frozen=True, slots=True)
class ListPage:
    """The link to the list of a model, given as `bookings_show`, for those who may see it."""

    title: str
    icon: str
    model: str

    def link(self) -> dict[str, Any]:
        """Return it as unfold wants it."""
        url, permission = reverse_lazy(f"admin:{self.model}_changelist"), partial(may_view, model=self.model)
        return {"title": self.title, "icon": self.icon, "link": url, "permission": permission}


@dataclass(frozen=True, slots=True)
class ViewPage:
    """The link to a page of its own, for those with its permission."""

    title: str
    icon: str
    view: str
    permission: str

    def link(self) -> dict[str, Any]:
        """Return it as unfold wants it."""
        url, permission = reverse_lazy(self.view), partial(may_do, permission=self.permission)
        return {"title": self.title, "icon": self.icon, "link": url, "permission": permission}


def sidebar(groups: Mapping[str, Sequence[ListPage | ViewPage]]) -> list[dict[str, Any]]:
    """Return the groups of links as unfold wants them."""
    return [{"title": title, "items": [page.link() for page in pages]} for title, pages in groups.items()]


def may_view(request: HttpRequest, *, model: str) -> bool:
    """Tell whether the user may open the list of a model, given as `bookings_show`."""
    app, _, name = model.rpartition("_")
    return any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))


def may_do(request: HttpRequest, *, permission: str) -> bool:
    """Tell whether the user has a permission."""
    return request.user.has_perm(permission)

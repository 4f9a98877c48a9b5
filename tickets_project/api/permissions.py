"""Which routes are for staff, and for which of them."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


def is_staff_with(request: Request, permission: str) -> bool:
    """Tell whether the caller is a member of staff who has the permission."""
    return bool(request.user and request.user.is_staff and request.user.has_perm(permission))


def staff_with(permission: str) -> type[BasePermission]:
    """Return the permission class of a route for staff with this permission, such as `bookings.redeem_ticket`."""

    class StaffWith(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            del view
            return is_staff_with(request, permission)

    return StaffWith


def staff_write_with(permission: str) -> type[BasePermission]:
    """Return the permission class of a route that everybody known reads, and staff with this permission write."""

    class StaffWriteWith(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            del view
            known = bool(request.user and request.user.is_authenticated)
            return known if request.method in SAFE_METHODS else is_staff_with(request, permission)

    return StaffWriteWith

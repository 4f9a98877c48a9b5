"""Small views that stand for those of the business apps."""

from threading import Event
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.renderers import StaticHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tickets_project.api.idempotency import idempotent
from tickets_project.api.serializers import AmountField, MoneySerializer, StrictSerializer, UtcDateTimeField
from tickets_project.correlation import current_trace
from tickets_project.errors import handler400, handler403, handler404, handler500
from tickets_project.refusals import DomainError, InvalidInput, NotFound

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class ShowFull(DomainError):
    """The show has no seats left."""

    code = "show_full"


class PassengerSerializer(StrictSerializer):
    name = serializers.CharField(max_length=20)


class EverythingSerializer(StrictSerializer):
    text = serializers.CharField(required=False)
    kind = serializers.ChoiceField(choices=["room", "equipment"], required=False)
    price = MoneySerializer(required=False)
    refund = AmountField(required=False)
    starts_at = UtcDateTimeField(required=False)
    passengers = PassengerSerializer(many=True, required=False)
    made_by = serializers.CharField(read_only=True)


class Everything(APIView):
    """Validates a body and answers it."""

    permission_classes = (AllowAny,)

    @extend_schema(request=EverythingSerializer, responses=EverythingSerializer)
    def post(self, request: Request) -> Response:
        body = EverythingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(EverythingSerializer(body.validated_data).data)


class Refusals(APIView):
    """Raises what the path names."""

    permission_classes = (AllowAny,)
    REFUSALS: dict[str, Exception] = {
        "full": ShowFull(seats_left=0, current_status="sold_out", code="replaced"),
        "own-words": ShowFull("Sorry, full."),
        "input": InvalidInput("No."),
        "missing": NotFound(),
        "http404": Http404("a table's name"),
        "denied": PermissionDenied(),
        "drf-denied": exceptions.PermissionDenied(),
        "throttled": exceptions.Throttled(),
        "nested": exceptions.ValidationError({"price": {"amount": ["No."]}}),
        "plain": exceptions.ValidationError("No."),
        "quoted": exceptions.ValidationError({"\ud800": ['"\ud800" is not a word.']}),
        "suspicious": SuspiciousOperation("odd"),
        "crash": RuntimeError("a secret"),
    }

    def get(self, _request: Request, name: str) -> Response:
        raise self.REFUSALS[name]


class Document(APIView):
    """Answers HTML, and still refuses in JSON."""

    permission_classes = (AllowAny,)
    renderer_classes = (StaticHTMLRenderer,)

    def get(self, _request: Request) -> Response:
        raise NotFound("It has not been printed yet.")


class StaffOnly(APIView):
    permission_classes = (IsAdminUser,)

    def get(self, _request: Request) -> Response:
        return Response({})


class Whoami(APIView):
    def get(self, request: Request) -> Response:
        return Response({"username": request.user.get_username()})


class Unauthenticated(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, _request: Request) -> Response:
        raise exceptions.AuthenticationFailed("The signature does not verify.")


class Groups(APIView):
    """Makes a group; how it ends is in the body."""

    permission_classes = (AllowAny,)
    entered = Event()
    leave = Event()

    @idempotent
    @extend_schema(request=None, responses={201: None})
    def post(self, request: Request, name: str) -> Response:
        if Group.objects.filter(name="full").exists():
            raise ShowFull
        group = Group.objects.create(name=f"{name} {uuid4()}")
        match dict(request.data).get("end"):
            case "raise":
                raise ShowFull
            case "return":
                return self.handle_exception(ShowFull())
            case "crash":
                raise RuntimeError
            case "wait":
                self.entered.set()
                self.leave.wait(20)
        body = {"name": group.name, "id": str(group.pk), "admitted": 1.5, "é": None}
        return Response(body, status=201, headers={"Location": f"/api/v1/groups/{group.pk}/"})

    @extend_schema(request=None, responses={204: None})
    @idempotent
    def delete(self, _request: Request, name: str) -> Response:
        Group.objects.filter(name__startswith=name).delete()
        return Response(status=204)


class KeyedGroups(APIView):
    permission_classes = (AllowAny,)
    idempotency_key_required = True

    @idempotent
    @extend_schema(request=None, responses={200: None})
    def post(self, _request: Request) -> Response:
        return Response({})


class UserSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()


class Users(ListAPIView[User]):
    permission_classes = (AllowAny,)
    serializer_class = UserSerializer
    filter_backends = ()
    ordering: str | tuple[str, ...] = ("-date_joined", "pk")

    def get_queryset(self) -> QuerySet[User]:
        return User.objects.all()


class UsersByKey(ListAPIView[User]):
    permission_classes = (AllowAny,)
    serializer_class = UserSerializer
    filter_backends = ()
    queryset = User.objects.all()


def trace(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.path} {current_trace().correlation_id} {current_trace().traceparent}")


def crash(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError


def deny(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


undescribed: list[URLPattern | URLResolver] = [
    path("refusals/<name>/", Refusals.as_view()),
    path("document/", Document.as_view()),
    path("staff/", StaffOnly.as_view()),
    path("whoami/", Whoami.as_view()),
    path("signed/", Unauthenticated.as_view()),
]
described: list[URLPattern | URLResolver] = [
    path("everything/", Everything.as_view()),
    path("groups/<str:name>/", Groups.as_view()),
    path("keyed-groups/", KeyedGroups.as_view()),
    path("users/", Users.as_view()),
    path("users-by-name/", Users.as_view(ordering="username")),
    path("users-by-key/", UsersByKey.as_view()),
    path("ticket.svg", trace),
    path("", include("tickets_project.api.urls")),
]
urlpatterns = [
    path("api/v1/", include(undescribed)),
    path("api/v1/", include(described)),
    path("health/live", trace),
    path("page/", trace),
    path("crash/", crash),
    path("deny/", deny),
    path("api/deny/", deny),
]

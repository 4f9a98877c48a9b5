"""Tokens: given for a password, and taken back."""

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerView
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from tickets_project.api.authentication import BearerAuthentication
from tickets_project.api.serializers import StrictSerializer, UtcDateTimeField


class CredentialsSerializer(StrictSerializer):
    """A name and its password."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1024, trim_whitespace=False, style={"input_type": "password"})


class TokenSerializer(serializers.Serializer[Any]):
    """A token, seen this once, and when it expires."""

    token = serializers.CharField()
    expiry = UtcDateTimeField(allow_null=True)


class LoginThrottle(SimpleRateThrottle):
    """Counts the attempts per address, whoever they claim to be."""

    scope = "login"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return the name of the address's counter."""
        del view
        return f"throttle_login_{self.get_ident(request)}"


class LoginView(APIView):
    """Gives a token; takes no Idempotency-Key, since the answer must not be stored."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LoginThrottle,)

    @extend_schema(operation_id="login", request=CredentialsSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        """Exchange a name and a password for a token."""
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        row, token = AuthToken.objects.create(user=_user(request, **credentials.validated_data))
        return Response(TokenSerializer({"token": token, "expiry": row.expiry}).data)


class LogoutView(APIView):
    """Takes a token back."""

    authentication_classes = (BearerAuthentication,)

    @extend_schema(operation_id="logout", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Make the token that came with the request worthless."""
        request.auth.delete()
        return Response(status=204)


class DocsView(SpectacularSwaggerView):
    """The page that shows the OpenAPI document; it has no template for anything but reading."""

    http_method_names = ("get", "head")


def _user(request: Request, username: str, password: str) -> User:
    """Return the active user of that name and password.

    :raises AuthenticationFailed: in the same words whatever was wrong
    """
    user = authenticate(request._request, username=username, password=password)  # noqa: SLF001 - DRF has no other way
    if not isinstance(user, User):
        raise AuthenticationFailed("The username or the password is wrong.")
    user_logged_in.send(sender=User, request=request, user=user)
    return user

"""Addresses of the bookings API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

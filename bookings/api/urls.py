"""Addresses of the bookings API; the project puts them under /api/v1/."""

from django.urls import path

from bookings.api.bookings import BookingsView, BookingView, ConfirmBookingView
from bookings.api.shows import ShowsView, ShowView
from bookings.api.tickets import TicketDocumentView, TicketQrView, TicketsView, TicketView

urlpatterns = [
    path("shows/", ShowsView.as_view(), name="api-shows"),
    path("shows/<uuid:show_id>/", ShowView.as_view(), name="api-show"),
    path("bookings/", BookingsView.as_view(), name="api-bookings"),
    path("bookings/<uuid:booking_id>/", BookingView.as_view(), name="api-booking"),
    path("bookings/<uuid:booking_id>/confirm/", ConfirmBookingView.as_view(), name="api-booking-confirm"),
    path("tickets/", TicketsView.as_view(), name="api-tickets"),
    path("tickets/<uuid:ticket_id>/", TicketView.as_view(), name="api-ticket"),
    path("tickets/<uuid:ticket_id>/document/", TicketDocumentView.as_view(), name="api-ticket-document"),
    path("tickets/<uuid:ticket_id>/qr.svg", TicketQrView.as_view(), name="api-ticket-qr"),
]

"""Addresses of the bookings API; the project puts them under /api/v1/."""

from django.urls import path

from bookings.api.booking_requests import (
    CancelBookingView,
    CompleteBookingView,
    ConfirmBookingView,
    NoShowBookingView,
)
from bookings.api.bookings import BookingsView, BookingView
from bookings.api.ops import OpsBookingsView, OpsBookingView
from bookings.api.resources import AvailabilityView, ResourcesView, ResourceView
from bookings.api.shows import ShowsView, ShowView
from bookings.api.ticket_requests import (
    ActivateTicketView,
    RedeemTicketView,
    RefundTicketView,
    StaffActivateTicketView,
    TicketScansView,
    UndoScanView,
)
from bookings.api.tickets import TicketDocumentView, TicketQrView, TicketsView, TicketView
from bookings.api.vendor import VendorTicketsView

urlpatterns = [
    path("shows/", ShowsView.as_view(), name="api-shows"),
    path("shows/<uuid:show_id>/", ShowView.as_view(), name="api-show"),
    path("bookings/", BookingsView.as_view(), name="api-bookings"),
    path("bookings/<uuid:booking_id>/", BookingView.as_view(), name="api-booking"),
    path("bookings/<uuid:booking_id>/confirm/", ConfirmBookingView.as_view(), name="api-booking-confirm"),
    path("bookings/<uuid:booking_id>/cancel/", CancelBookingView.as_view(), name="api-booking-cancel"),
    path("bookings/<uuid:booking_id>/complete/", CompleteBookingView.as_view(), name="api-booking-complete"),
    path("bookings/<uuid:booking_id>/no-show/", NoShowBookingView.as_view(), name="api-booking-no-show"),
    path("ops/bookings/", OpsBookingsView.as_view(), name="api-ops-bookings"),
    path("ops/bookings/<uuid:booking_id>/", OpsBookingView.as_view(), name="api-ops-booking"),
    path("resources/", ResourcesView.as_view(), name="api-resources"),
    path("resources/<uuid:resource_id>/", ResourceView.as_view(), name="api-resource"),
    path("resources/<uuid:resource_id>/availability/", AvailabilityView.as_view(), name="api-availability"),
    path("tickets/", TicketsView.as_view(), name="api-tickets"),
    path("tickets/<uuid:ticket_id>/", TicketView.as_view(), name="api-ticket"),
    path("tickets/<uuid:ticket_id>/document/", TicketDocumentView.as_view(), name="api-ticket-document"),
    path("tickets/<uuid:ticket_id>/qr.svg", TicketQrView.as_view(), name="api-ticket-qr"),
    path("tickets/<uuid:ticket_id>/activate/", ActivateTicketView.as_view(), name="api-ticket-activate"),
    path("tickets/<uuid:ticket_id>/refund/", RefundTicketView.as_view(), name="api-ticket-refund"),
    path("tickets/<uuid:ticket_id>/scans/", TicketScansView.as_view(), name="api-ticket-scans"),
    path("admin/tickets/<uuid:ticket_id>/activate/", StaffActivateTicketView.as_view(), name="api-staff-activate"),
    path("admin/tickets/redeem/", RedeemTicketView.as_view(), name="api-redeem"),
    path("admin/tickets/scans/<uuid:scan_id>/undo/", UndoScanView.as_view(), name="api-undo-scan"),
    path("vendor/tickets-status/", VendorTicketsView.as_view(), name="api-vendor-tickets"),
]

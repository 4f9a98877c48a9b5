"""The pages of the admin, as its sidebar groups them."""

from tickets_project.admin_site.navigation import ListPage, ViewPage

Pages = dict[str, list[ListPage | ViewPage]]


def admin_pages(*, queue_is_table: bool) -> Pages:
    """Return the groups of the sidebar; on Redis the queue is no table."""
    return {
        "Box office": [
            ViewPage("Scan at the door", "qr_code_scanner", "scan", "bookings.redeem_ticket"),
            ListPage("Shows", "theater_comedy", "bookings_show"),
            ListPage("Resources", "meeting_room", "bookings_resource"),
            ListPage("Bookings", "event_seat", "bookings_booking"),
            ListPage("VIP bundles", "luggage", "vip_bundles_vipbundle"),
            ListPage("Tickets", "confirmation_number", "bookings_ticket"),
            ListPage("Ticket types", "style", "bookings_tickettype"),
            ListPage("Printed documents", "print", "printing_printedticket"),
        ],
        "Money": [
            ListPage("Refunds", "currency_exchange", "bookings_refund"),
            ListPage("Receipts", "receipt_long", "bookings_receipt"),
            ListPage("Tracker rows", "table_rows", "bookings_trackerrow"),
        ],
        "Operations": [
            ListPage("Progress of bookings", "monitoring", "bookings_opsbooking"),
            ListPage("Scans", "barcode_scanner", "bookings_scan"),
            ListPage("Notifications", "outgoing_mail", "notifications_notification"),
            ListPage("Audit trail", "history", "audit_auditentry"),
            ListPage("Numbers", "bar_chart", "analytics_dailytotal"),
        ],
        "Outbox": [
            ListPage("Messages", "mail", "outbox_message"),
            ListPage("Deliveries", "local_shipping", "outbox_delivery"),
            ListPage("Dispatchers", "memory", "outbox_dispatcher"),
        ],
        "Worker": [
            ListPage("Schedules", "schedule", "django_q_schedule"),
            ListPage("Failed tasks", "error", "django_q_failure"),
            *([ListPage("Queued tasks", "list", "django_q_ormq")] if queue_is_table else []),
        ],
        "Access": [
            ListPage("Users", "person", "auth_user"),
            ListPage("Groups", "group", "auth_group"),
            ListPage("API tokens", "key", "knox_authtoken"),
        ],
    }

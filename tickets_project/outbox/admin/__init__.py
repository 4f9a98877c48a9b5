"""The outbox in the admin: everything is read-only, and a delivery may be retried or discarded."""

from tickets_project.outbox.admin.deliveries import DeliveryAdmin
from tickets_project.outbox.admin.dispatchers import DispatcherAdmin
from tickets_project.outbox.admin.messages import MessageAdmin

__all__ = ["DeliveryAdmin", "DispatcherAdmin", "MessageAdmin"]

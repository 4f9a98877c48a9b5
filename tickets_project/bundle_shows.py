"""Where VIP bundles meet shows: bundles know of bookings by messages alone, so this adapter tells of a show."""

from datetime import datetime
from uuid import UUID

from bookings import queries
from bookings.errors import ShowHasStarted, ShowMakesNoTickets
from tickets_project.refusals import NotFound
from vip_bundles.services.making import BundleShow


def find_show(show_id: UUID, *, at: datetime) -> BundleShow:
    """Return a show that a bundle can be made of; whether seats are left is seen when they are booked.

    :raises NotFound: if there is no such show
    :raises ShowHasStarted: if it has started by then
    :raises ShowMakesNoTickets: if neither we nor the vendor make tickets of it
    """
    show = queries.shows().filter(id=show_id).first()
    if show is None:
        raise NotFound("There is no such show.")
    if show.start_time <= at:
        raise ShowHasStarted
    if show.dead_nation_id is None and not show.ticket_type.makes_tickets:
        raise ShowMakesNoTickets
    return BundleShow(show_id=show.id, title=show.title)

"""Bundles with what is known of them, their tickets, and the log of their moves."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django_fsm import FSMField, FSMModelMixin, transition

from tickets_project.audit.acts import Act
from tickets_project.audit.states import StateManager
from vip_bundles.facts import ENDED, FAILING, Bundle, Leg, State

STATES = [(state.value, state.value.replace("_", " ")) for state in State]
WAITING = (
    State.BOOKING_SHOW,
    State.BOOKING_INBOUND_FLIGHT,
    State.BOOKING_RETURN_FLIGHT,
    State.BOOKING_TAXI,
)
"""The states in which something has been asked for and its answer is awaited."""

_ENDED = sorted(state.value for state in ENDED)


def _staying(field: FSMField, *states: State, action: str) -> Callable[[Any], Any]:
    """Declare a transition that leaves each of these states as it is."""

    def declare(method: Any) -> Any:
        for state in states:
            method = transition(field=field, source=state, target=state, custom={"action": action})(method)
        return method

    return declare


class VipBundle(FSMModelMixin, models.Model):
    """A show, flights and perhaps a taxi, booked step by step for a customer, or taken back.

    Shows and bookings belong to another app: only their ids are known here, and the show's title as it was.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    booking_id = models.UUIDField(unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="vip_bundles")
    customer_email = models.EmailField()
    number_of_tickets = models.PositiveIntegerField()
    show_id = models.UUIDField()
    show_title = models.CharField(max_length=200)
    passengers = ArrayField(models.CharField(max_length=100))
    inbound_flight_id = models.UUIDField()
    return_flight_id = models.UUIDField(null=True, blank=True)
    wants_taxi = models.BooleanField(default=False)
    state = FSMField(choices=STATES, default=State.INITIALIZED.value, protected=True, max_length=22)
    created_at = models.DateTimeField()
    # When somebody should look at it unless it has ended by then.
    deadline_at = models.DateTimeField()
    stuck_at = models.DateTimeField(null=True, editable=False)
    booking_made_at = models.DateTimeField(null=True, editable=False)
    inbound_ticket_ids = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    inbound_booked_at = models.DateTimeField(null=True, editable=False)
    return_ticket_ids = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    return_booked_at = models.DateTimeField(null=True, editable=False)
    taxi_booking_id = models.CharField(max_length=100, blank=True, default="", editable=False)
    taxi_booked_at = models.DateTimeField(null=True, editable=False)
    failure_reason = models.TextField(blank=True, default="", editable=False)
    finalized_at = models.DateTimeField(null=True, editable=False)

    objects = StateManager()

    class Meta:
        """The indexes serve the lists and the deadlines."""

        verbose_name = "VIP bundle"
        permissions = [("repair_vipbundle", "Can retry and roll back bundles")]
        constraints = [
            models.CheckConstraint(condition=Q(number_of_tickets__gte=1), name="vip_bundles_vipbundle_some_tickets"),
            models.CheckConstraint(
                condition=Q(passengers__len=F("number_of_tickets")), name="vip_bundles_vipbundle_a_seat_each"
            ),
            # A flight's answer names the flight, and nothing else tells the two ways apart.
            models.CheckConstraint(
                condition=Q(return_flight_id__isnull=True) | ~Q(return_flight_id=F("inbound_flight_id")),
                name="vip_bundles_vipbundle_two_flights",
            ),
            models.CheckConstraint(
                # On its way through the rollback it knows its end already.
                condition=Q(state__in=_ENDED, finalized_at__isnull=False)
                | Q(state=State.ROLLING_BACK.value)
                | (~Q(state__in=_ENDED) & Q(finalized_at__isnull=True)),
                name="vip_bundles_vipbundle_finalized_at",
            ),
        ]
        indexes = [
            models.Index("created_at", "id", name="vip_bundles_created"),
            models.Index("owner", "created_at", "id", name="vip_bundles_owner"),
            models.Index("state", "created_at", "id", name="vip_bundles_state"),
            models.Index(Upper("customer_email"), name="vip_bundles_email"),
            # What is late, and what was found late.
            models.Index(
                "deadline_at",
                "id",
                condition=~Q(state__in=_ENDED) & Q(stuck_at__isnull=True),
                name="vip_bundles_deadline",
            ),
            models.Index("created_at", "id", condition=Q(stuck_at__isnull=False), name="vip_bundles_stuck"),
        ]

    def __str__(self) -> str:
        return f"{self.show_title} for {self.number_of_tickets}"

    @property
    def has_ended(self) -> bool:
        """Tell whether all is booked, or is being taken back."""
        return State(self.state) in ENDED

    @property
    def inbound_leg(self) -> Leg:
        """Return the flight there."""
        return _leg(self.inbound_flight_id, self.inbound_ticket_ids, self.inbound_booked_at)

    @property
    def return_leg(self) -> Leg | None:
        """Return the flight back, if one is wanted."""
        if self.return_flight_id is None:
            return None
        return _leg(self.return_flight_id, self.return_ticket_ids, self.return_booked_at)

    def facts(self) -> Bundle:
        """Return what is known of it, its confirmed tickets included."""
        return Bundle(
            vip_bundle_id=str(self.id),
            booking_id=str(self.booking_id),
            customer_email=self.customer_email,
            number_of_tickets=self.number_of_tickets,
            show_id=str(self.show_id),
            passengers=tuple(self.passengers),
            inbound_leg=self.inbound_leg,
            return_leg=self.return_leg,
            wants_taxi=self.wants_taxi,
            user_id=self.owner_id,
            state=State(self.state),
            booking_made_at=self.booking_made_at,
            ticket_ids=frozenset(str(ticket.ticket_id) for ticket in self.tickets.all() if ticket.confirmed_at),
            taxi_booking_id=self.taxi_booking_id,
            taxi_booked_at=self.taxi_booked_at,
            failure_reason=self.failure_reason,
            finalized_at=self.finalized_at,
        )

    def learn(self, facts: Bundle) -> None:
        """Take over what has become known; the state moves by itself, and tickets have rows of their own."""
        self.booking_made_at = facts.booking_made_at
        self.inbound_ticket_ids = list(facts.inbound_leg.ticket_ids)
        self.inbound_booked_at = facts.inbound_leg.booked_at
        if facts.return_leg:
            self.return_ticket_ids = list(facts.return_leg.ticket_ids)
            self.return_booked_at = facts.return_leg.booked_at
        self.taxi_booking_id = facts.taxi_booking_id
        self.taxi_booked_at = facts.taxi_booked_at
        self.failure_reason = facts.failure_reason
        self.finalized_at = facts.finalized_at

    @transition(
        field=state, source=State.INITIALIZED, target=State.BOOKING_SHOW, custom={"action": "bundle_books_show"}
    )
    def book_show(self, *, act: Act) -> None:
        """Wait for the show's seats."""

    @transition(
        field=state,
        source=State.BOOKING_SHOW,
        target=State.BOOKING_INBOUND_FLIGHT,
        custom={"action": "bundle_books_inbound_flight"},
    )
    def book_inbound_flight(self, *, act: Act) -> None:
        """Wait for the flight there."""

    @transition(
        field=state,
        source=State.BOOKING_INBOUND_FLIGHT,
        target=State.BOOKING_RETURN_FLIGHT,
        custom={"action": "bundle_books_return_flight"},
    )
    def book_return_flight(self, *, act: Act) -> None:
        """Wait for the flight back."""

    @transition(
        field=state,
        source=[State.BOOKING_INBOUND_FLIGHT, State.BOOKING_RETURN_FLIGHT],
        target=State.BOOKING_TAXI,
        custom={"action": "bundle_books_taxi"},
    )
    def book_taxi(self, *, act: Act) -> None:
        """Wait for the taxi."""

    @transition(
        field=state,
        source=[State.BOOKING_INBOUND_FLIGHT, State.BOOKING_RETURN_FLIGHT, State.BOOKING_TAXI],
        target=State.FINALIZED,
        custom={"action": "bundle_finalized"},
    )
    def finalize(self, *, act: Act) -> None:  # noqa: ARG002 - the audit trail reads it
        """End with everything booked."""
        self.stuck_at = None

    @transition(
        field=state,
        source=[State.INITIALIZED, *WAITING],
        target=State.ROLLING_BACK,
        custom={"action": "bundle_rolled_back"},
    )
    def roll_back(self, *, act: Act) -> None:
        """Take back what is booked."""

    @transition(
        field=state,
        source=[State.BOOKING_SHOW, State.ROLLING_BACK],
        target=State.FAILED,
        custom={"action": "bundle_failed"},
    )
    def fail(self, *, act: Act) -> None:  # noqa: ARG002 - the audit trail reads it
        """End in failure: what was booked is being taken back."""
        self.stuck_at = None

    @_staying(state, *WAITING, action="bundle_step_retried")
    def ask_again(self, *, act: Act) -> None:
        """Have the present step asked for once more."""

    @_staying(state, State.ROLLING_BACK, State.FAILED, action="bundle_took_back_late")
    def take_back_late(self, *, act: Act) -> None:
        """Take back what turned out to be booked after the failure."""


class BundleTicket(models.Model):
    """A ticket of a bundle's show, and what messages have told of it, in whatever order they came."""

    bundle = models.ForeignKey(VipBundle, on_delete=models.PROTECT, related_name="tickets")
    ticket_id = models.UUIDField(unique=True)
    confirmed_at = models.DateTimeField(null=True)
    printed_at = models.DateTimeField(null=True)
    file_name = models.CharField(max_length=100, blank=True, default="")
    refunded_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.ticket_id)


class BundleMove(models.Model):
    """One move of a bundle: which message or person caused it, from where to where, and what was sent."""

    bundle = models.ForeignKey(VipBundle, on_delete=models.PROTECT, related_name="moves")
    at = models.DateTimeField()
    message_type = models.CharField(max_length=100)
    message_id = models.UUIDField(null=True, help_text="Empty: a person asked for it.")
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True, default="")
    from_state = models.CharField(max_length=22, choices=STATES)
    to_state = models.CharField(max_length=22, choices=STATES)
    # The stored names and payloads of the commands and events.
    sent = models.JSONField(default=list)

    class Meta:
        """Read with the bundle, oldest first."""

        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"

    @property
    def is_failure(self) -> bool:
        """Tell whether it left a step that failed, or that a person rolled back."""
        return State(self.to_state) in FAILING and State(self.from_state) not in FAILING


def _leg(flight_id: object, ticket_ids: list[str], booked_at: datetime | None) -> Leg:
    return Leg(flight_id=str(flight_id), ticket_ids=tuple(ticket_ids), booked_at=booked_at)

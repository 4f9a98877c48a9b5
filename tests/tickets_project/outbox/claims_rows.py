"""The rows of the claims model: handlers, deliveries and claims as they should be. Time is in whole hours."""

from dataclasses import dataclass

WELL = ("ok", "follow")
"""How a handler may run that is delivered: it takes effect, and now and then publishes a message that follows."""

Moment = tuple[int, int]


@dataclass(frozen=True)
class ModelHandler:
    """`delays` are the hours after each failure; once they are used up, the delivery is parked."""

    key: str
    delays: tuple[int, ...]
    ordered: bool = False
    external: bool = False
    replayable: bool = True
    urgent: bool = False

    @property
    def turn(self) -> int:
        """Return how many deliveries are its in a turn."""
        return 8 if self.urgent else 1


@dataclass(eq=False)
class ModelDelivery:
    handler: ModelHandler
    number: int
    thing: str
    due: Moment
    status: str = "pending"
    attempts: int = 0
    holder: str | None = None
    leased_until: int | None = None
    waits_for: str = ""
    waiting_since: int | None = None
    delivered_in: int = 0
    # Given by the database: what fell due at the same moment goes by it.
    id: int = 0

    @property
    def name(self) -> tuple[str, int]:
        return self.handler.key, self.number

    @property
    def is_orphaned(self) -> bool:
        """Tell whether nobody ended its last claim."""
        return self.leased_until is not None

    def is_leased(self, now: int) -> bool:
        return self.leased_until is not None and self.leased_until > now

    def let_go(self, status: str = "pending") -> None:
        self.status, self.holder, self.leased_until = status, None, None


@dataclass(frozen=True)
class ModelClaim:
    delivery: ModelDelivery
    dispatcher: str
    attempts: int
    waited: int

    @property
    def is_current(self) -> bool:
        held = (self.delivery.status, self.delivery.holder, self.delivery.attempts)
        return held == ("pending", self.dispatcher, self.attempts)

    @property
    def is_hopeless(self) -> bool:
        return self.attempts > len(self.delivery.handler.delays) + 1


def age(delivery: ModelDelivery) -> tuple[Moment, int]:
    """Return what comes first in the queue."""
    return delivery.due, delivery.id

"""The anticipated refusals of repairs and replays."""

from tickets_project.refusals import DomainError, InvalidInput


class DeliveryClosed(DomainError):
    """The delivery is delivered or discarded already; replay its message instead."""

    code = "delivery_closed"


class DeliveryRunning(DomainError):
    """A worker has this delivery in hand; try again when it is done."""

    code = "delivery_running"


class ReasonMissing(InvalidInput):
    """Give a reason; it stays on record."""

    code = "reason_missing"


class NotReplayable(DomainError):
    """This handler must not be repeated; force it if you are sure."""

    code = "not_replayable"


class UnknownHandler(InvalidInput):
    """The subscription table has no handler with this key."""

    code = "unknown_handler"


class MessagesPruned(DomainError):
    """Messages that this needs are pruned."""

    code = "messages_pruned"

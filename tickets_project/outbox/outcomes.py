"""What a handler may raise besides an ordinary error."""


class NotYet(Exception):
    """Another message must arrive first: ask again soon; this is no failure.

    :param aggregate_id: the aggregate whose next message wakes the delivery; by default the message's own
    """

    def __init__(self, reason: str, *, aggregate_id: str | None = None) -> None:
        super().__init__(reason)
        self.aggregate_id = aggregate_id


class GiveUp(Exception):
    """Trying again cannot help: park the delivery at once."""

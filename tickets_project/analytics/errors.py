"""The anticipated refusals of analytics."""

from tickets_project.refusals import DomainError


class NothingCounts(DomainError):
    """The subscription table has no handler of analytics."""

    code = "nothing_counts"

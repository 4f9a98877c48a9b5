"""The anticipated refusals of VIP bundles."""

from tickets_project.refusals import DomainError


class BundleEnded(DomainError):
    """The bundle has ended: there is no step to retry, and nothing to roll back."""

    code = "bundle_ended"

"""Writes: one function per use case, each in one transaction with its log, its audit rows and the messages it sends."""

from vip_bundles.services.advancing import advance, retry_step, roll_back
from vip_bundles.services.deadlines import flag_stuck
from vip_bundles.services.making import make_bundle
from vip_bundles.services.tickets import record_printed, record_refunded

__all__ = ["advance", "flag_stuck", "make_bundle", "record_printed", "record_refunded", "retry_step", "roll_back"]

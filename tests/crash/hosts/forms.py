"""How much the tests of several hosts try: `HOST_LOSSES` says how often a host is lost, and with it all is tried."""

import os

import pytest

LOSSES = int(os.environ.get("HOST_LOSSES", "1"))
IN_FULL = "HOST_LOSSES" in os.environ
BROKERS = ["redis", "orm"] if IN_FULL else ["redis"]

in_full_only = pytest.mark.in_full

"""The cache that the processes of one host share when there is no Redis: files."""

from itertools import count

from django.core.cache.backends.filebased import FileBasedCache

CULL_EVERY = 100


class HostCache(FileBasedCache):
    """Django's cache of files, for what is written with each request, as the counters of throttling are."""

    _writes = count()

    def _cull(self) -> None:
        """Make room with the first write of a process and each hundredth: it takes listing all files."""
        if next(self._writes) % CULL_EVERY == 0:
            super()._cull()  # type: ignore[misc] # the stubs leave it out

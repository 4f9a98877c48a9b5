"""The cache of files that the processes of a host share."""

from itertools import pairwise
from pathlib import Path

from tickets_project.host_cache import CULL_EVERY, HostCache


def cache_in(folder: Path, *, most: int = 10) -> HostCache:
    return HostCache(str(folder), {"OPTIONS": {"MAX_ENTRIES": most}})


def files_in(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*.djcache"))


class TestHostCache:
    def test_tells_one_process_what_another_has_written(self, tmp_path: Path) -> None:
        cache_in(tmp_path).set("a", [1, 2])
        assert cache_in(tmp_path).get("a") == [1, 2]

    def test_looks_for_room_with_each_hundredth_write_alone(self, tmp_path: Path) -> None:
        cache, counts = cache_in(tmp_path), []
        for number in range(3 * CULL_EVERY):
            cache.set(f"key-{number}", number)
            counts.append(files_in(tmp_path))
        fewer = [number for number in range(1, len(counts)) if counts[number] <= counts[number - 1]]
        assert len(fewer) in {2, 3}
        assert {later - sooner for sooner, later in pairwise(fewer)} == {CULL_EVERY}

    def test_stays_near_its_limit(self, tmp_path: Path) -> None:
        cache = cache_in(tmp_path, most=3 * CULL_EVERY)
        for number in range(10 * CULL_EVERY):
            cache.set(f"key-{number}", number)
        assert 2 * CULL_EVERY <= files_in(tmp_path) <= 4 * CULL_EVERY

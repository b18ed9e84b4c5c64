"""What workers time with. Imports next to nothing, as peers.py."""

from __future__ import annotations

from time import perf_counter, process_time

STATUS = "/proc/self/status"
SMAPS = "/proc/self/smaps_rollup"


def once(call, *args) -> dict[str, float]:
    """Seconds that one call took: of the processor (all threads of it), and of the wall."""
    cpu, wall = process_time(), perf_counter()
    call(*args)
    return {"cpu": process_time() - cpu, "wall": perf_counter() - wall}


def each(call, items) -> dict[str, float]:
    """Seconds that one pass over items took."""
    cpu, wall = process_time(), perf_counter()
    for item in items:
        call(item)
    return {"cpu": process_time() - cpu, "wall": perf_counter() - wall}


def memory() -> dict[str, int]:
    """Bytes of memory: all that is resident, and what no other process shares."""
    found = {"rss": 0, "private": 0}
    with open(SMAPS) as file:  # noqa: PTH123 - no pathlib here
        for line in file:
            name, _, rest = line.partition(":")
            if name == "Rss":
                found["rss"] = int(rest.split()[0]) << 10
            elif name in ("Private_Clean", "Private_Dirty"):
                found["private"] += int(rest.split()[0]) << 10
    return found


def reset_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")


def peak() -> int:
    """The most bytes resident since reset_peak."""
    with open(STATUS) as file:  # noqa: PTH123
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))

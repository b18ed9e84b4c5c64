"""What importing a package costs beyond a bare interpreter, what it drags in, and how long it is
from there to the first ids."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter

from ..harness import Job
from ..plan import Plan

REPEATS = 7
ENCODING = "cl100k_base"
OPTIONAL = ("numpy", "rich", "jinja2", "pyarrow", "PIL", "yaml", "requests", "huggingface_hub")
"""What ``import ctok`` must leave alone."""


def jobs(plan: Plan) -> list[Job]:
    return [Job("imports", peer) for peer in plan.peers]


def sample(peer: str) -> Iterator[dict[str, object]]:
    """Seconds of an interpreter that imports a package beyond one that does nothing, and of one
    that makes ids with it as well; medians of a few that take turns."""
    statements = (
        "pass",
        f"import {peer}",
        "from bench import peers",
        f"from bench import peers; peers.load({peer!r}, {ENCODING!r}).encode_list('hello world')",
    )
    runs: dict[str, list[tuple[float, float]]] = {statement: [] for statement in statements}
    for _ in range(REPEATS):
        for statement, found in runs.items():
            found.append(_interpreter(statement))
    bare, whole, before, loaded = (
        [statistics.median(x) for x in zip(*times, strict=True)] for times in runs.values()
    )
    script = f"import {peer}, sys; print(*(m for m in {OPTIONAL!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    yield {
        "wall": whole[0] - bare[0],
        "cpu": whole[1] - bare[1],
        "first_ids": {"wall": loaded[0] - before[0], "cpu": loaded[1] - before[1]},
        "optional": done.stdout.split(),
    }


def _interpreter(statement: str) -> tuple[float, float]:
    start = perf_counter()
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", statement], os.environ)
    _, status, used = os.wait4(pid, 0)
    wall = perf_counter() - start
    if status:
        raise RuntimeError(f"{statement!r} ended with status {status}")
    return wall, used.ru_utime + used.ru_stime

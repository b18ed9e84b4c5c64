"""What a second processor of this machine is worth to work that needs no memory: about the
most that a row of two threads can reach in that minute. On a machine of one's own it is 2.

Not a measure of its own: those with rows of two threads take it among their jobs.
"""

from __future__ import annotations

import _thread
from collections.abc import Iterator
from time import perf_counter

from .. import pace
from ..harness import Job

BLOCKS = 500


def job() -> Job:
    return Job("processors", "sha512", cpus=2)


def sample(peer: str) -> Iterator[dict[str, float]]:
    """Wall seconds of one thread that hashes, and of two that hash as much each."""
    found = {}
    for name, n_threads in (("one", 1), ("two", 2)):
        start = perf_counter()
        locks = [_thread.allocate_lock() for _ in range(n_threads - 1)]
        for lock in locks:
            lock.acquire()
            _thread.start_new_thread(_hash, (lock,))
        _hash(None)
        for lock in locks:
            lock.acquire()
        found[name] = perf_counter() - start
    yield {"times": 2 * found["one"] / found["two"]}


def _hash(done: _thread.LockType | None) -> None:
    pace.work(BLOCKS)
    if done is not None:
        done.release()

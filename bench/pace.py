"""Work that is always the same and needs no memory: how long it takes tells of the machine."""

from __future__ import annotations

import hashlib
from time import perf_counter

BLOCK = bytes(1 << 16)
"""Fits into a processor's own cache."""


def work(n_blocks: int) -> None:
    """SHA-512, without the GIL; about 80 us a block."""
    digest = hashlib.sha512()
    for _ in range(n_blocks):
        digest.update(BLOCK)


def pace() -> float:
    """Seconds that a little work takes now."""
    start = perf_counter()
    work(8)
    return perf_counter() - start

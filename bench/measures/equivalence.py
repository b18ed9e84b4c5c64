"""The worker's half of bench/equivalence.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import equivalence


def sample(peer: str, encoding: str, max_bytes: int, threads: int) -> Iterator[dict[str, Any]]:
    """The threads are those that the environment was set for; every count is compared."""
    yield from equivalence.digests(peer, encoding, max_bytes)

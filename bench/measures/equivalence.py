"""The worker's half of bench/equivalence.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import equivalence


def sample(
    peer: str, encoding: str, compared: list[str], max_bytes: int, threads: int
) -> Iterator[dict[str, Any]]:
    """What equivalence.digests says; the environment was set for `threads`."""
    yield from equivalence.digests(peer, encoding, compared, max_bytes)

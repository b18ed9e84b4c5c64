"""One number for everything that decides ids."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import pairwise

from . import _core
from .spec import TokenizerSpec, unpack_u32


def fingerprint(spec: TokenizerSpec, ranks: Mapping[bytes, int]) -> str:
    """SHA-256, in hexadecimal; the same in every process.

    Args:
        spec: the definition.
        ranks: all its tokens, those included that only merges name.
    """
    digest = hashlib.sha256(b"ctok encoding 1\0")
    for token_id, token in sorted((token_id, token) for token, token_id in ranks.items()):
        digest.update(b"%d %d " % (token_id, len(token)) + token)
    if spec.merges is not None and not _merges_follow_from_ranks(spec):
        for table in (spec.merges.left, spec.merges.right, spec.merges.merged):
            digest.update(table)
    for text, token_id in sorted(spec.specials.items()):
        digest.update(repr((text, token_id)).encode())
    digest.update(repr((spec.pattern, spec.whole_piece, _core.UNICODE_VERSION)).encode())
    return digest.hexdigest()


def _merges_follow_from_ranks(spec: TokenizerSpec) -> bool:
    """Whether the merges add nothing: each makes the id that is its rank, in order."""
    assert spec.merges is not None
    merged = unpack_u32(spec.merges.merged)
    return spec.whole_piece and all(a < b for a, b in pairwise(merged))

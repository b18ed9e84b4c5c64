"""Rank tables, packed and unpacked: packed.py has the file format and its reader.

*Which merge makes a token?* Run BPE on the token's bytes; the last two parts before it is
whole are its halves. There is no other pair to ask for: while a longer text is merged, what
happens inside the stretch that becomes this token is what happens to it alone, for merges are
chosen by rank and then by place, and none crosses the stretch's ends.
"""

from __future__ import annotations

import binascii
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path

from . import packed
from .errors import InvalidRanksError
from .spec import MergeTable, TokenTable, pack_u32, unpack_u32

DATA = Path(packed.FOLDER)
"""Where the embedded ones are."""


@dataclass(frozen=True, slots=True)
class PackedRanks:
    """A rank table as the core takes it.

    Attributes:
        tokens: the tokens that no merge makes.
        merges: one merge for every other token, in rank order.
        source_sha256: of the .tiktoken text it was packed from, in hexadecimal.
    """

    tokens: TokenTable
    merges: MergeTable
    source_sha256: str


def read(source: str | PathLike[str] | bytes) -> PackedRanks:
    """Reads a packed rank table.

    Args:
        source: a path, or the file's bytes.

    Raises:
        FormatError: it is none, or not whole.
        OSError: the file cannot be read.

    >>> from ctok import ranks
    >>> packed = ranks.read(ranks.pack({b"a": 0, b"b": 1, b"ab": 2}))
    >>> len(packed.tokens), len(packed.merges)
    (2, 1)
    """
    if isinstance(source, bytes):
        tables, text_hash = packed.read(source)
    else:
        tables, text_hash = packed.read(Path(source).read_bytes(), str(source))
    blob, ends, ids, merges = tables
    tokens = TokenTable(blob, ends, ids)
    return PackedRanks(tokens, MergeTable(*map(bytes, merges)), text_hash.hex())


def _split_planes(ids: list[int]) -> bytes:
    """The planes of ids, one after the other."""
    whole = pack_u32(ids)
    return whole[2::4] + whole[1::4] + whole[0::4]


def pack(ranks: Mapping[bytes, int], *, text: bytes = b"") -> bytes:
    """Packs a rank table.

    Args:
        ranks: token bytes to rank.
        text: the .tiktoken file it came from, whose SHA-256 is recorded.

    Raises:
        InvalidRanksError: a single byte that tokens are made of is no token itself, or a rank
            needs more than 24 bits.
    """
    tokens: dict[bytes, int] = {}
    left: list[int] = []
    right: list[int] = []
    merged: list[int] = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if rank > packed.MAX_ID:
            raise InvalidRanksError(
                f"the rank of {token!r} is {rank}, at most {packed.MAX_ID} expected"
            )
        halves = canonical_merge(ranks, token)
        if halves is not None:
            try:
                left_id, right_id = ranks[halves[0]], ranks[halves[1]]
            except KeyError as exc:
                raise InvalidRanksError(f"{token!r} has a byte that is no token") from exc
            left.append(left_id)
            right.append(right_id)
            merged.append(rank)
        # A token is spelled out if a reader that goes through the merges once, in order,
        # would not know its halves yet.
        if halves is None or max(left_id, right_id) > rank:
            tokens[token] = rank
    table = TokenTable.from_ranks(tokens)
    runs = _runs_of_ids(merged)
    payload = b"".join(
        [table.ends, table.ids, pack_u32(runs), table.blob, *map(_split_planes, (left, right))]
    )
    header = packed.HEADER.pack(
        packed.MAGIC,
        packed.VERSION,
        0,
        len(table),
        len(table.blob),
        len(merged),
        len(runs) // 2,
        len(payload),
        hashlib.sha256(text).digest(),
        packed.payload_hash(payload),
    )
    return header + zlib.compress(payload, 9)


def _runs_of_ids(ids: list[int]) -> list[int]:
    runs: list[int] = []
    for i in ids:
        if runs and i == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs += [i, 1]
    return runs


def canonical_merge(ranks: Mapping[bytes, int], token: bytes) -> tuple[bytes, bytes] | None:
    """The halves that merge into a token; None for a single byte or if merges never make it.

    >>> from ctok.ranks import canonical_merge
    >>> canonical_merge({b"ab": 0, b"bc": 1, b"abc": 2}, b"abc")
    (b'ab', b'c')
    """
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        pairs = [ranks.get(left + right) for left, right in pairwise(parts)]
        best = min((rank for rank in pairs if rank is not None), default=None)
        if best is None:
            return None
        i = pairs.index(best)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return (parts[0], parts[1]) if len(parts) == 2 else None


def to_ranks(packed: PackedRanks) -> dict[bytes, int]:
    """The rank table, in rank order: token bytes to rank."""
    tokens = {token_id: token for token, token_id in packed.tokens}
    tables = (packed.merges.left, packed.merges.right, packed.merges.merged)
    for left, right, merged in zip(*map(unpack_u32, tables), strict=True):
        if merged not in tokens:
            tokens[merged] = tokens[left] + tokens[right]
    return {tokens[token_id]: token_id for token_id in sorted(tokens)}


def to_tiktoken(packed: PackedRanks) -> bytes:
    """The .tiktoken text, byte for byte the one that the table was packed from."""
    return tiktoken_text(to_ranks(packed))


def tiktoken_text(ranks: Mapping[bytes, int]) -> bytes:
    """The .tiktoken text of a rank table, sorted by rank.

    >>> from ctok.ranks import tiktoken_text
    >>> tiktoken_text({b"b": 1, b"a": 0})
    b'YQ== 0\\nYg== 1\\n'
    """
    return b"".join(
        # The empty token, which Whisper's table has, is spelled as padding alone.
        b"%b %d\n" % (binascii.b2a_base64(token, newline=False) or b"=", rank)
        for token, rank in sorted(ranks.items(), key=lambda item: item[1])
    )

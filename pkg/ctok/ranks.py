"""Packed rank tables: the file format of the embedded vocabularies, its reader and writer.

A rank table is written as the tokens that no merge makes (the single bytes) and one merge
for every other token. That is a third of the size of the text it came from, and the core
gets for free which two halves make a token::

    file      header, payload (zlib)
    header    magic "CTRK" | version u16 | 0 u16 | n_tokens u32 | n_token_bytes u32
              | n_merges u32 | n_runs u32 | payload size u32
              | SHA-256 of the .tiktoken text | SHA-256 of the payload
    payload   ends   u32[n_tokens]        where each token ends in the token bytes
              ids    u32[n_tokens]        its id
              runs   u32[n_runs][2]       the ids that merges make: first, count
              bytes  u8[n_token_bytes]    the tokens
              left   u8[3][n_merges]      ids as three planes: all high bytes, all middle
              right  u8[3][n_merges]      ones, all low ones (the high ones pack to nothing)

All numbers are little-endian, merges are in rank order, and ids are ranks.

*Which merge makes a token?* Run BPE on the token's bytes; the last two parts before it is
whole are its halves. There is no other pair to ask for: while a longer text is merged, what
happens inside the stretch that becomes this token is what happens to it alone, for merges are
chosen by rank and then by place, and none crosses the stretch's ends.
"""

from __future__ import annotations

import binascii
import hashlib
import struct
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path

from .errors import FormatError, InvalidRanksError
from .spec import MergeTable, TokenTable, pack_u32, unpack_u32

DATA = Path(__file__).parent / "data"
"""Where the embedded ones are."""
MAGIC = b"CTRK"
VERSION = 1
HEADER = struct.Struct("<4sHHIIIII32s32s")
MAX_ID = 0xFF_FFFF
"""The largest id that three bytes hold."""
MAX_PAYLOAD = 1 << 28
"""What a table with all these ids takes; a header that asks for more is not to be believed."""


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
    name = "packed ranks" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    if len(data) < HEADER.size:
        raise _damaged(name, f"{len(data)} bytes, a header has {HEADER.size}")
    magic, version, _, n_tokens, n_token_bytes, n_merges, n_runs, size, of_text, of_payload = (
        HEADER.unpack_from(data)
    )
    if magic != MAGIC or version != VERSION:
        raise _damaged(name, f"starts {magic!r} version {version}, {MAGIC!r} {VERSION} expected")
    expected = 8 * n_tokens + 8 * n_runs + n_token_bytes + 6 * n_merges
    if size != expected or size > MAX_PAYLOAD:
        raise _damaged(name, f"payload of {size} bytes, {expected} expected")
    unpacker = zlib.decompressobj()
    try:
        payload = unpacker.decompress(memoryview(data)[HEADER.size :], size + 1)
    except zlib.error as exc:
        raise _damaged(name, f"payload does not unpack: {exc}") from exc
    is_whole = unpacker.eof and not unpacker.unused_data and len(payload) == size
    if not is_whole or hashlib.sha256(payload).digest() != of_payload:
        raise _damaged(name, "payload is not the one that was written")

    view = memoryview(payload)
    parts = []
    for length in (4 * n_tokens, 4 * n_tokens, 8 * n_runs, n_token_bytes, *6 * (n_merges,)):
        parts.append(view[:length])
        view = view[length:]
    ends, ids, runs, blob, *planes = parts
    merged = _ids_of_runs(name, unpack_u32(bytes(runs)), n_merges)
    return PackedRanks(
        TokenTable(bytes(blob), bytes(ends), bytes(ids)),
        MergeTable(_join_planes(*planes[:3]), _join_planes(*planes[3:]), merged),
        of_text.hex(),
    )


def _damaged(name: str, what: str) -> FormatError:
    return FormatError(
        f"{name}: no packed rank table: {what}",
        path=name,
        suggestions=["Install ctok again if this is one of its own files."],
    )


Plane = bytes | memoryview


def _join_planes(high: Plane, middle: Plane, low: Plane) -> bytes:
    """uint32 from the planes of their bytes."""
    joined = bytearray(4 * len(low))
    joined[0::4] = low
    joined[1::4] = middle
    joined[2::4] = high
    return bytes(joined)


def _split_planes(ids: list[int]) -> bytes:
    """The inverse of _join_planes, the planes one after the other."""
    packed = pack_u32(ids)
    return packed[2::4] + packed[1::4] + packed[0::4]


def _ids_of_runs(name: str, runs: array[int], n_ids: int) -> bytes:
    firsts, counts = runs[0::2], runs[1::2]
    if sum(counts) != n_ids or any(
        first + count > MAX_ID for first, count in zip(firsts, counts, strict=True)
    ):
        raise _damaged(name, f"runs {list(runs)} for {n_ids} merges")
    return b"".join(map(_run, firsts, counts))


def _run(first: int, count: int) -> bytes:
    """uint32 first, first + 1, ... Made plane by plane, ten times faster than number by number."""
    blocks = range(first >> 8, ((first + count) >> 8) + 1)
    start = first & 0xFF
    low = bytes(range(256)) * len(blocks)
    middle = b"".join([bytes([block & 0xFF]) * 256 for block in blocks])
    high = b"".join([bytes([block >> 8]) * 256 for block in blocks])
    end = start + count
    return _join_planes(high[start:end], middle[start:end], low[start:end])


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
        if rank > MAX_ID:
            raise InvalidRanksError(f"the rank of {token!r} is {rank}, at most {MAX_ID} expected")
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
    header = HEADER.pack(
        MAGIC,
        VERSION,
        0,
        len(table),
        len(table.blob),
        len(merged),
        len(runs) // 2,
        len(payload),
        hashlib.sha256(text).digest(),
        hashlib.sha256(payload).digest(),
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

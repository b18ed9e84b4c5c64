"""Packed rank tables: the file format of the embedded vocabularies, and its reader.

A rank table is written as the tokens that no merge makes (the single bytes) and one merge
for every other token. That is a third of the size of the text it came from, and the core
gets for free which two halves make a token::

    file      header, payload (zlib)
    header    magic "CTRK" | version u16 | 0 u16 | n_tokens u32 | n_token_bytes u32
              | n_merges u32 | n_runs u32 | payload size u32
              | SHA-256 of the .tiktoken text | BLAKE2b of the payload, 32 bytes
    payload   ends   u32[n_tokens]        where each token ends in the token bytes
              ids    u32[n_tokens]        its id
              runs   u32[n_runs][2]       the ids that merges make: first, count
              bytes  u8[n_token_bytes]    the tokens
              left   u8[3][n_merges]      ids as three planes: all high bytes, all middle
              right  u8[3][n_merges]      ones, all low ones (the high ones pack to nothing)

All numbers are little-endian, merges are in rank order, and ids are ranks.

The first use of an encoding waits for this module and what it imports, so that is little.
"""

from __future__ import annotations

import os
import struct
import zlib

from .late import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import FormatError

FOLDER = os.path.join(os.path.dirname(__file__), "data")  # noqa: PTH118, PTH120 - pathlib is slow
"""Where the embedded ones are."""
MAGIC = b"CTRK"
VERSION = 2
HEADER = struct.Struct("<4sHHIIIII32s32s")
MAX_ID = 0xFF_FFFF
"""The largest id that three bytes hold."""
MAX_PAYLOAD = 1 << 28
"""What a table with all these ids takes; a header that asks for more is not to be believed."""

Merges = tuple[bytes, bytes, bytes]
"""Left, right and what they make, in rank order: uint32 ids each."""
Tables = tuple[bytes, bytes, bytes, Merges]
"""Tokens (their bytes, where each ends and its id, both uint32), and merges."""


def read(data: bytes, name: str = "packed ranks") -> tuple[Tables, bytes]:
    """Reads a packed rank table.

    Args:
        data: the file's bytes.
        name: the file's, for errors.

    Returns:
        Its tables, and the SHA-256 of the .tiktoken text that it was packed from.

    Raises:
        FormatError: it is none, or not whole.
    """
    if len(data) < HEADER.size:
        raise _damaged(name, f"{len(data)} bytes, a header has {HEADER.size}")
    header = HEADER.unpack_from(data)
    magic, version, _, n_tokens, n_token_bytes, n_merges, n_runs, size, source, hashed = header
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
    if not is_whole or payload_hash(payload) != hashed:
        raise _damaged(name, "payload is not the one that was written")

    view = memoryview(payload)
    parts = []
    for length in (4 * n_tokens, 4 * n_tokens, 8 * n_runs, n_token_bytes, *6 * (n_merges,)):
        parts.append(view[:length])
        view = view[length:]
    ends, ids, runs, blob, *planes = parts
    merges = (
        _join_planes(*planes[:3]),
        _join_planes(*planes[3:]),
        _ids_of_runs(name, runs, n_merges),
    )
    return (bytes(blob), bytes(ends), bytes(ids), merges), source


def read_embedded(name: str) -> tuple[Tables, bytes]:
    """The same from one of the embedded files, by the name of its table."""
    path = f"{FOLDER}/{name}.ranks"
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        return read(file.read(), path)


def payload_hash(payload: bytes) -> bytes:
    """What the header has of the payload. Not SHA-256, for hashlib takes long to import."""
    return blake2b()(payload, digest_size=32).digest()


def _damaged(name: str, what: str) -> FormatError:
    from .errors import FormatError

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


def _ids_of_runs(name: str, runs: memoryview, n_ids: int) -> bytes:
    numbers = [int.from_bytes(runs[i : i + 4], "little") for i in range(0, len(runs), 4)]
    firsts, counts = numbers[0::2], numbers[1::2]
    if sum(counts) != n_ids or any(
        first + count > MAX_ID for first, count in zip(firsts, counts, strict=True)
    ):
        raise _damaged(name, f"runs {numbers} for {n_ids} merges")
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

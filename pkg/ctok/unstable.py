"""Ids that more text could change, for completion interfaces.

The last piece of a text is unstable: another letter may make other tokens of it. tiktoken answers
with the ids before it and every way its bytes could begin the ids that follow.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .encoding import Encoding

_SPACES = frozenset(b" \n\t")


def widen_last_piece(encoding: Encoding, ids: list[int], n_last: int) -> int:
    """How many of the last ids are unstable: those of the last piece and, when that is
    blank, all blank ones before it."""

    def is_blank(token_id: int) -> bool:
        return _SPACES.issuperset(encoding.decode_single_token_bytes(token_id))

    if n_last and is_blank(ids[-n_last]):
        while n_last < len(ids) and is_blank(ids[-n_last - 1]):
            n_last += 1
    return n_last


def encode_with_unstable(
    encoding: Encoding, ids: list[int], n_last: int
) -> tuple[list[int], list[list[int]]]:
    """Splits ids into stable ones and the possible beginnings of what follows.

    Args:
        encoding: whose ids they are.
        ids: the ids of the whole text.
        n_last: how many of them the last piece has; 0 when a special token ends the text.

    Returns:
        The stable ids, and each sequence of ids that the unstable bytes could begin.
    """
    n_last = widen_last_piece(encoding, ids, n_last)
    if n_last == 0:
        return ids, []
    stable, unstable = ids[:-n_last], encoding.decode_bytes(ids[-n_last:])
    found: set[tuple[int, ...]] = set()
    tokens = encoding.token_byte_values()
    for token in _starting_with(tokens, unstable):
        found.add((encoding.encode_single_token(token),))
    for cut in range(1, len(unstable)):
        for token in _starting_with(tokens, unstable[cut:]):
            found.add(_covering(encoding, unstable[:cut] + token, len(unstable)))
    last = _last_character(unstable)
    if last and len(last) < len(unstable) and last.decode().isspace():
        head = unstable[: -len(last)]
        found.add((*encoding._merge_bytes(head), *encoding._merge_bytes(last)))
    return stable, [list(sequence) for sequence in found]


def _starting_with(tokens: list[bytes], prefix: bytes) -> list[bytes]:
    start = bisect_left(tokens, prefix)
    end = start
    while end < len(tokens) and tokens[end].startswith(prefix):
        end += 1
    return tokens[start:end]


def _covering(encoding: Encoding, data: bytes, n_bytes: int) -> tuple[int, ...]:
    """The first ids of `data` that together reach n_bytes."""
    try:
        ids = encoding.encode_ordinary(data.decode())
    except UnicodeDecodeError:
        ids = encoding._merge_bytes(data)
    total = 0
    for n, token_id in enumerate(ids, 1):
        total += len(encoding.decode_single_token_bytes(token_id))
        if total >= n_bytes:
            return tuple(ids[:n])
    return tuple(ids)


def _last_character(data: bytes) -> bytes:
    """The last character's bytes, or b"" when they are no character."""
    for n in range(1, min(4, len(data)) + 1):
        if data[-n] & 0xC0 != 0x80:
            try:
                data[-n:].decode()
            except UnicodeDecodeError:
                return b""
            return data[-n:]
    return b""

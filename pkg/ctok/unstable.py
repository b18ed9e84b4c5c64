"""Ids that more text could change, for completion interfaces.

The last piece of a text is unstable: another letter may make other tokens of it. tiktoken answers
with the ids before it and every way its bytes could begin the ids that follow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from typing import TYPE_CHECKING

from .explain import last_parts, merge_steps
from .surrogates import mended

if TYPE_CHECKING:
    from .encoding import Encoding
    from .specials import AllowedSpecial, DisallowedSpecial

_SPACES = frozenset(b" \n\t")


def n_last_piece(encoding: Encoding, text: str, allowed: Collection[str]) -> int:
    """How many ids the last piece has; 0 when an allowed special ends the text."""
    end = 0
    if any(token in text for token in allowed):
        # What has the text of a special is one: in no other way is any of that text encoded.
        offsets = encoding.encode_with_offsets(
            text, allowed_special=set(allowed), disallowed_special=()
        ).char_offsets
        end = max((stop for start, stop in offsets if text[start:stop] in allowed), default=0)
    pieces = encoding.pieces(text[end:])
    return len(encoding._merge_bytes(pieces[-1].encode())) if pieces else 0


def widen_last_piece(encoding: Encoding, ids: list[int], n_last: int) -> int:
    """How many of the last ids are unstable: those of the last piece and, when that is
    blank, all blank ones before it. Specials are not blank, whatever their text."""

    def is_blank(token_id: int) -> bool:
        token = encoding.decode_single_token_bytes(token_id)
        return _SPACES.issuperset(token) and encoding._find(token) == token_id

    if n_last and is_blank(ids[-n_last]):
        while n_last < len(ids) and is_blank(ids[-n_last - 1]):
            n_last += 1
    return n_last


def encode_with_unstable(
    self: Encoding,
    text: str,
    *,
    allowed_special: AllowedSpecial = frozenset(),
    disallowed_special: DisallowedSpecial = "all",
) -> tuple[list[int], list[list[int]]]:
    """The ids that more text cannot change, and how the following ones may begin.

    Args:
        text: what to encode.
        allowed_special, disallowed_special: as in :meth:`encode`.

    Returns:
        The stable ids, and the possible sequences that cover the rest of the text, in no
        particular order.

    Raises:
        What :meth:`encode` raises.

    >>> import ctok
    >>> enc = ctok.get_encoding("gpt2")
    >>> stable, following = enc.encode_with_unstable("hello fanta")
    >>> enc.decode(stable), sorted({enc.decode(ids) for ids in following})[:3]
    ('hello', [' fanta', ' fantab', ' fantaba'])
    """
    text = mended(text) if isinstance(text, str) else text
    ids = self.encode(text, allowed_special=allowed_special, disallowed_special=disallowed_special)
    allowed = self._specials.allowed(allowed_special)
    n_last = widen_last_piece(self, ids, n_last_piece(self, text, allowed))
    if n_last == 0:
        return ids, []
    stable, unstable = ids[:-n_last], self.decode_bytes(ids[-n_last:])
    found: set[tuple[int, ...]] = set()
    tokens = self._sorted_tokens
    for token in _starting_with(tokens, unstable):
        found.add((self.encode_single_token(token),))
    for cut in range(1, len(unstable)):
        for token in _starting_with(tokens, unstable[cut:]):
            found.add(_covering(self, unstable[:cut] + token, len(unstable)))
    last = _last_character(unstable)
    if last and len(last) < len(unstable) and last.decode().isspace():
        head = unstable[: -len(last)]
        found.add((*_merge_only(self, head), *_merge_only(self, last)))
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
        ids = _merge_only(encoding, data)
    total = 0
    for n, token_id in enumerate(ids, 1):
        total += len(encoding.decode_single_token_bytes(token_id))
        if total >= n_bytes:
            return tuple(ids[:n])
    return tuple(ids)


def _merge_only(encoding: Encoding, data: bytes) -> list[int]:
    """The ids of bytes taken as one piece by merges alone: tiktoken takes no token at once here."""
    ids = encoding._merge_bytes(data)
    if len(ids) > 1 or len(data) <= 1:
        return ids
    parts = last_parts(data, merge_steps(encoding, data))
    return [encoding.encode_single_token(part) for part in parts]


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

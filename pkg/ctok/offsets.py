"""Where in a text ids come from. The function is a method of :class:`ctok.Encoding`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .surrogates import character_starts

if TYPE_CHECKING:
    from .encoding import Encoding
    from .specials import AllowedSpecial, DisallowedSpecial


class Offsets(NamedTuple):
    """Ids and the stretches of text they stand for.

    Attributes:
        ids: the ids.
        byte_offsets: (start, end) of each in the text's UTF-8.
        char_offsets: (start, end) of each in characters; an id that holds only part of a
            character has the whole character.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").encode_with_offsets("one two").char_offsets
    [(0, 3), (3, 7)]
    """

    ids: list[int]
    byte_offsets: list[tuple[int, int]]
    char_offsets: list[tuple[int, int]]


def encode_with_offsets(
    self: Encoding,
    text: str,
    *,
    allowed_special: AllowedSpecial = frozenset(),
    disallowed_special: DisallowedSpecial = "all",
) -> Offsets:
    """Ids and where in the text they come from.

    Text that the pattern does not cover has no ids, so there may be gaps.

    Args:
        text: what to encode.
        allowed_special, disallowed_special: as in :meth:`encode`.

    Returns:
        The ids, with a (start, end) in bytes and one in characters for each.

    Raises:
        DisallowedSpecialError, TextTypeError, MissingRankError, SplitError: as in
            :meth:`encode`.
        ValidationError: tokens of different lengths share an id (``allow_duplicate_ids``).

    >>> import ctok
    >>> ctok.get_encoding("gpt2").encode_with_offsets("hi é").char_offsets
    [(0, 2), (2, 4)]
    """
    sets = self._special_sets(allowed_special, disallowed_special)
    ids, byte_offsets, char_offsets, n_surrogates = self._encode_ranges(text, sets)
    if n_surrogates:
        starts = character_starts(text)
        char_offsets = [(starts[start], starts[end]) for start, end in char_offsets]
    return Offsets(ids, byte_offsets, char_offsets)

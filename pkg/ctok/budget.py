"""How many ids a text has, and the parts of it that have few enough. The public functions are
methods of :class:`ctok.Encoding`."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, NamedTuple

from .errors import MissingRankError, SplitError, ValidationError

if TYPE_CHECKING:
    from .encoding import Encoding


class Truncated(NamedTuple):
    """A text cut to a number of ids.

    Attributes:
        text: the text, or its longest beginning that was found to fit.
        n_tokens: how many ids it has.
        truncated: whether anything was cut off.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").truncate("one two three", 2).truncated
    True
    """

    text: str
    n_tokens: int
    truncated: bool


def fits(self: Encoding, text: str, max_tokens: int) -> bool:
    """Whether a text has at most so many ids. Stops as soon as it has more.

    Args:
        text: what to count; special tokens in it are ordinary text.
        max_tokens: how many ids it may have.

    Returns:
        Whether :meth:`count` of it is at most that.

    Raises:
        TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.
        ValidationError: tokens of different lengths share an id; ``count`` works then.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").fits("one two three", 2)
    False
    """
    return self._fits(text, max_tokens)


def truncate(self: Encoding, text: str, max_tokens: int) -> Truncated:
    """The beginning of a text that has at most so many ids. No character is cut in two.

    Args:
        text: what to cut; special tokens in it are ordinary text.
        max_tokens: how many ids the result may have when encoded.

    Returns:
        The text, how many ids it has, and whether anything was cut off.

    Raises:
        ValidationError: max_tokens is negative, or tokens of different lengths share an id.
        TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").truncate("one two three", 2)
    Truncated(text='one two', n_tokens=2, truncated=True)
    """
    return self._truncate(text, max_tokens, Truncated)


def split_by_tokens(self: Encoding, text: str, max_tokens: int, *, overlap: int = 0) -> list[str]:
    """A text in parts of at most so many ids each.

    Args:
        text: what to split; special tokens in it are ordinary text.
        max_tokens: how many ids each part may have when encoded.
        overlap: about how many ids a part shares with the one before it.

    Returns:
        The parts; each has something that the one before it has not. Without overlap
        they are the text again when joined.

    Raises:
        ValidationError: overlap is not less than max_tokens, a single character has
            more than max_tokens ids, or tokens of different lengths share an id.
        TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").split_by_tokens("one two three four", 2)
    ['one two', ' three four']
    """
    max_tokens, overlap = index(max_tokens), index(overlap)  # numbers of numpy overflow
    if not 0 <= overlap < max_tokens:
        raise ValidationError(
            f"overlap is {overlap} and max_tokens {max_tokens}: 0 <= overlap < max_tokens expected"
        )
    parts: list[str] = []
    start = end = 0
    while end < len(text):
        part = _next_part(self, text, start, max_tokens)
        if parts and start + len(part) <= end:
            start += 1  # the overlap took all the room
            continue
        end = start + len(part)
        parts.append(part)
        back = 0
        if overlap:
            offsets = self.encode_with_offsets(part, disallowed_special=()).char_offsets
            back = len(part) - offsets[-min(overlap, len(offsets))][0] if offsets else 0
        start = max(end - back, start + 1)
    return parts


def _next_part(encoding: Encoding, text: str, start: int, max_tokens: int) -> str:
    # Look at a window only, so that long texts are not copied once per part.
    window = 8 * max_tokens + 64
    while True:
        try:
            part = encoding.truncate(text[start : start + window], max_tokens)
        except (MissingRankError, SplitError):
            if start + window >= len(text):
                encoding.count(text)  # fails too, and knows where in all of the text
                raise
        else:
            if part.truncated or start + window >= len(text):
                break
        window *= 2
    if not part.text:
        raise ValidationError(
            f"character {start} alone has more than {max_tokens} ids: {text[start]!r}"
        )
    return part.text

"""What PCRE2 is given: literals, sets of code points, and where each part came from.

:mod:`ctok.dialect` makes it, :mod:`ctok.pcre2` compiles it.
"""

from __future__ import annotations

import bisect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ctok.errors import InvalidPatternError

# The code points of a class: first and last of each run, in order.
Ranges = tuple[tuple[int, int], ...]

FIRST_SURROGATE, LAST_SURROGATE = 0xD800, 0xDFFF


def invalid_pattern(source: bytes, position: int, reason: str) -> InvalidPatternError:
    """The error for a pattern, with a line that shows the place.

    Args:
        source: the pattern as UTF-8.
        position: the byte where it went wrong.
        reason: what is wrong there.

    Returns:
        The error, not raised; its ``offset`` counts characters.

    Example:
        >>> print(invalid_pattern(b"a(b", 1, "this group is not closed"))
        invalid pattern at offset 1: this group is not closed
            a(b
             ^
    """
    pattern = source.decode()
    offset = len(source[:position].decode(errors="ignore"))
    start = max(0, offset - 30)
    shown = "".join(c if c.isprintable() else "\ufffd" for c in pattern[start : offset + 30])
    before = "..." if start else ""
    caret = " " * (len(before) + offset - start) + "^"
    return InvalidPatternError(
        f"invalid pattern at offset {offset}: {reason}\n    {before}{shown}\n    {caret}",
        pattern=pattern,
        offset=offset,
    )


@dataclass(frozen=True)
class Rewritten:
    """A pattern in PCRE2's dialect.

    Args:
        source: the user's pattern as UTF-8.
        parts: PCRE2 syntax, or the code points of a class.
        origins: for each part, the byte of ``source`` it comes from.
        n_groups: capturing groups in the pattern.
        can_be_empty: it may match nothing; False is certain.
        fixed_lookbehinds: a lookbehind asks for a place, or has a group that is referred to: PCRE2
            and the reference differ then where a branch of one may have several lengths.
    """

    source: bytes
    parts: tuple[str | Ranges, ...]
    origins: tuple[int, ...]
    n_groups: int
    can_be_empty: bool
    fixed_lookbehinds: bool

    def render(self, *, shared: bool = False) -> tuple[str, Callable[[int], int]]:
        """The pattern as PCRE2 reads it.

        Args:
            shared: write each large class once and call it wherever it stands. Slower to
                match, but fits where the plain form is larger than PCRE2 can compile.

        Returns:
            The text, and a function from a byte of it to the byte of ``source`` that it
            comes from.
        """
        texts: list[str] = []
        definitions: dict[Ranges, int] = {}
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
            elif shared and len(part) > 8:
                number = definitions.setdefault(part, self.n_groups + len(definitions) + 1)
                texts.append(f"(?{number})")
            else:
                texts.append(_class_text(part))
        starts = []
        size = 3 if definitions else 0
        for text in texts:
            starts.append(size)
            size += len(text.encode())

        def origin(offset: int) -> int:
            index = bisect.bisect_right(starts, offset) - 1
            return self.origins[index] if 0 <= index < len(starts) else len(self.source)

        rendered = "".join(texts)
        if definitions:
            # Behind the pattern, so that the numbers of its own groups stay.
            bodies = "".join(f"({_class_text(ranges)})" for ranges in definitions)
            rendered = f"(?:{rendered})(?(DEFINE){bodies})"
        return rendered, origin


_ANY = r"[\x{0}-\x{10ffff}]"


@lru_cache(maxsize=64)
def _class_text(ranges: Ranges) -> str:
    # PCRE2 10.45 to 10.47 search long lists of ranges wrongly where one of them holds U+0100: not
    # found is what it holds beyond (PCRE2Project/pcre2#833), or, where it starts there, found what
    # lies below. A class and its complement never hold it both.
    if any(first <= 0x100 <= last for first, last in ranges):
        return f"[^{_ranges_text(others)}]" if (others := _complement(ranges)) else _ANY
    return f"[{_ranges_text(ranges)}]" if ranges else r"[^\x{0}-\x{10ffff}]"


def _ranges_text(ranges: Ranges) -> str:
    return "".join(
        f"\\x{{{first:x}}}" if first == last else f"\\x{{{first:x}}}-\\x{{{last:x}}}"
        for first, last in ranges
    )


def _complement(ranges: Ranges) -> Ranges:
    ends = [-1, *(last for _, last in ranges)]
    starts = [*(first for first, _ in ranges), sys.maxunicode + 1]
    gaps = zip(ends, starts, strict=True)
    return without_surrogates([(end + 1, start - 1) for end, start in gaps])


def without_surrogates(ranges: list[tuple[int, int]]) -> Ranges:
    """Ranges that end or begin in no surrogate.

    PCRE2 refuses them as ends of a range; no text contains them.
    """
    clipped = []
    for first, last in ranges:
        if FIRST_SURROGATE <= first <= LAST_SURROGATE:
            first = LAST_SURROGATE + 1
        if FIRST_SURROGATE <= last <= LAST_SURROGATE:
            last = FIRST_SURROGATE - 1
        if first <= last:
            clipped.append((first, last))
    return tuple(clipped)


def literal_text(char: int) -> str:
    """A character as a pattern says it."""
    text = chr(char)
    if text.isascii():
        if not text.isprintable():
            return f"\\x{{{char:x}}}"
        if not (text.isalnum() or text in " _"):
            return "\\" + text
    return text

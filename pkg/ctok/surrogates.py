"""Texts with surrogates, which are mended before they are encoded: a pair becomes the character
that it stands for, any other U+FFFD. Behind a pair a character has another index then."""

from __future__ import annotations

import re
from array import array

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def mended(text: str) -> str:
    """The text as it is encoded."""
    return str.encode(text, "utf-16", "surrogatepass").decode("utf-16", "replace")


def place(text: str, n: int) -> int:
    """Where character n of the mended text is in the text itself."""
    for pair in _PAIR.finditer(text):
        if pair.start() >= n:
            break
        n += 1
    return n


def character_starts(text: str) -> array[int]:
    """Where each character of the mended text starts in the text itself, and where that ends."""
    starts = array("q")
    i = 0
    while i < len(text):
        starts.append(i)
        is_pair = "\ud800" <= text[i] <= "\udbff" and "\udc00" <= text[i + 1 : i + 2] <= "\udfff"
        i += 2 if is_pair else 1
    starts.append(len(text))
    return starts

"""The made sections of a README, between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.

The words around them are written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable


def filled(text: str, body: Callable[[str], str | None]) -> str:
    """The text with each section replaced by what `body` makes of its name.

    Args:
        text: the README.
        body: the new content of a section; None leaves it as it is.
    """

    def section(match: re.Match[str]) -> str:
        made = body(match[1])
        if made is None:
            return match[0]
        return f"<!-- begin {match[1]} -->\n{made}\n<!-- end {match[1]} -->"

    return re.sub(r"<!-- begin ([\w ]+) -->.*?<!-- end \1 -->", section, text, flags=re.DOTALL)

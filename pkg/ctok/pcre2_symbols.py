"""What the symbols of the reference are in PCRE2's words, under the flags in force."""

from __future__ import annotations

from ctok.pattern_source import Flags


class Assertion(str):
    """PCRE2 syntax that takes no quantifier as it stands."""

    __slots__ = ()


# Words are made of W; each is one group, so that it can be optional.
WORD_EDGES = {
    "start": "(?:(?<!W)(?=W))",
    "end": "(?:(?<=W)(?!W))",
    "start-half": "(?:(?<!W))",
    "end-half": "(?:(?!W))",
    "b": "(?:(?<=W)(?!W)|(?<!W)(?=W))",
    "B": "(?:(?<=W)(?=W)|(?<!W)(?!W))",
}
WORD_EDGES |= {"<": WORD_EDGES["start"], ">": WORD_EDGES["end"]}

# Escapes that mean the same under all flags, by the letter behind the backslash.
ESCAPES = {
    b"A": Assertion(r"\A"),
    b"z": Assertion(r"\z"),
    b"Z": Assertion(r"(?=\n*+\z)"),
    b"h": "[0-9A-Fa-f]",
    b"H": "[^0-9A-Fa-f]",
    b"N": r"\N",
    b"O": ".",
    b"R": r"(?>\r\n|[\n\x{b}\f\r\x{85}\x{2028}\x{2029}])",
}

CONTROLS = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"e": 27}
"""Escapes of one character."""

HEX_DIGITS = {b"x": 2, b"u": 4, b"U": 8}
"""Escapes with hexadecimal digits, and how many where there are no braces."""

REFUSED_ESCAPES = {
    b"K": "\\K (keep out)",
    b"G": "\\G (where the last match ended)",
    b"g": "a subroutine call \\g",
}

REFUSED_GROUPS = {
    b"?P>": "a subroutine call",
    b"?~": "an absent expression (?~..)",
    b"?(": "a conditional (?(..)..)",
}
"""What a parenthesis can open in the reference and not here."""


def dot(flags: Flags) -> str:
    if flags.dot_all:
        return "."
    return r"[^\r\n]" if flags.crlf else r"\N"


def line_start(flags: Flags) -> Assertion:
    if not flags.multi_line:
        return Assertion(r"\A")
    if flags.crlf:
        return Assertion(r"(?:\A|(?<=\n)|(?<=\r)(?!\n))")
    return Assertion(r"(?<!\N)")


def line_end(flags: Flags) -> Assertion:
    if not flags.multi_line:
        return Assertion(r"\z")
    if flags.crlf:
        return Assertion(r"(?:\z|(?=\r)|(?<!\r)(?=\n))")
    return Assertion(r"(?!\N)")


def quantifier(low: int, high: int | None, *, lazy: bool) -> str:
    text = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((low, high))
    if text is None:
        text = f"{{{low},{'' if high is None else high}}}"
    return text + "?" * lazy

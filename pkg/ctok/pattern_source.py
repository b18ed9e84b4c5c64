"""A pattern while it is read: the place, the flags in force there, and the small things that
stand in many places of a pattern: comments, numbers, repeats, hexadecimal digits, names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ctok.errors import InvalidPatternError
from ctok.pcre2_syntax import FIRST_SURROGATE, LAST_SURROGATE, invalid_pattern

QUANTIFIERS = {b"?": (0, 1), b"*": (0, None), b"+": (1, None)}

_NUMBER = re.compile(rb"[0-9]+")
_REFERENCE = re.compile(rb"<([^<>]*)>|'([^']*)'")


@dataclass(frozen=True)
class Flags:
    """The inline flags in force at a place of the pattern."""

    ignore_case: bool = False
    multi_line: bool = False
    dot_all: bool = False
    swap_greed: bool = False
    ignore_space: bool = False
    crlf: bool = False


@dataclass
class Source:
    """A pattern, and how far it was read.

    Args:
        pattern: as UTF-8.
        at: the byte to read next.
        flags: in force there.
    """

    pattern: bytes
    at: int = 0
    flags: Flags = field(default_factory=Flags)

    def error(self, position: int, reason: str) -> InvalidPatternError:
        return invalid_pattern(self.pattern, position, reason)

    def refusal(self, position: int, what: str) -> InvalidPatternError:
        return self.error(position, f"{what} is not supported")

    def peek(self, length: int = 1) -> bytes:
        """The bytes that come next; fewer at the end."""
        return self.pattern[self.at : self.at + length]

    def take_if(self, text: bytes) -> bool:
        """Whether this comes next, and if so moves over it."""
        found = self.peek(len(text)) == text
        if found:
            self.at += len(text)
        return found

    def skip_trivia(self) -> int:
        """Moves over comments and, under (?x), white space; returns the new place."""
        while True:
            if self.peek(3) == b"(?#":
                end = self.at + 3
                while end < len(self.pattern) and self.pattern[end : end + 1] != b")":
                    end += 2 if self.pattern[end : end + 1] == b"\\" else 1
                if end >= len(self.pattern):
                    raise self.error(self.at, "this comment is not closed")
                self.at = end + 1
            elif self.flags.ignore_space and self.peek() and self.peek() in b" \r\n\t":
                self.at += 1
            elif self.flags.ignore_space and self.peek() == b"#":
                line = self.pattern.find(b"\n", self.at)
                self.at = len(self.pattern) if line < 0 else line + 1
            else:
                return self.at

    def take_char(self) -> int:
        lead = self.pattern[self.at]
        length = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        char = ord(self.peek(length).decode())
        self.at += length
        return char

    def take_digits(self) -> int | None:
        """A decimal number, or None where there is none."""
        digits = _NUMBER.match(self.pattern, self.at)
        if not digits:
            return None
        self.at = digits.end()
        # More digits than any limit has are cut, lest int() take them at length.
        return int(digits[0].lstrip(b"0")[:9] or b"0")

    def take_bounds(self) -> tuple[int, int | None] | None:
        """Takes ``* + ? {2} {2,} {,3} {2,3}``; a brace that is none of these is text."""
        byte = self.peek()
        if byte in QUANTIFIERS:
            self.at += 1
            return QUANTIFIERS[byte]
        if byte != b"{":
            return None
        start = self.at
        self.at += 1
        low = self._take_bound()
        comma = self.take_if(b",")
        high = self._take_bound() if comma else low
        if self.peek() != b"}" or (low is None and not comma):
            self.at = start
            return None
        self.at += 1
        return low or 0, high

    def _take_bound(self) -> int | None:
        self.skip_trivia()
        bound = self.take_digits()
        self.skip_trivia()
        return bound

    def take_hex(self, position: int, width: int) -> int:
        """The character of `width` hexadecimal digits, or of any number of them in braces."""
        self.skip_trivia()
        fixed = re.compile(rb"[0-9A-Fa-f]{%d}" % width).match(self.pattern, self.at)
        if fixed:
            digits = fixed[0]
            self.at = fixed.end()
        else:
            digits = self._take_braced_hex(position)
        char = int(digits, 16)
        if char > 0x10FFFF or FIRST_SURROGATE <= char <= LAST_SURROGATE:
            raise self.error(position, f"U+{char:04X} is not a character")
        return char

    def _take_braced_hex(self, position: int) -> bytes:
        digits = b""
        if self.take_if(b"{"):
            while self.skip_trivia() < len(self.pattern) and len(digits) <= 8:
                byte = self.peek()
                self.at += 1
                if byte == b"}" and digits:
                    return digits
                if byte not in b"0123456789abcdefABCDEF":
                    break
                digits += byte
        raise self.error(position, "hexadecimal digits are missing here")

    def take_group_name(self) -> str:
        """The name in ``<name>`` or ``'name'`` of a group."""
        close = b">" if self.peek() == b"<" else b"'"
        end = self.pattern.find(close, self.at + 1)
        if end <= self.at + 1:
            raise self.error(self.at, "a group name is missing here")
        name = self.pattern[self.at + 1 : end].decode()
        self.at = end + 1
        return name

    def take_reference(self, position: int) -> str:
        """The name in ``<name>`` or ``'name'`` of a back reference."""
        found = _REFERENCE.match(self.pattern, self.at)
        if not found:
            raise self.error(position, "a group name is missing here")
        self.at = found.end()
        return (found[1] or found[2] or b"").decode()

    def take_until(self, close: bytes) -> str | None:
        """What stands before the next `close`, and moves behind that; None if there is none."""
        end = self.pattern.find(close, self.at)
        if end < 0:
            return None
        text = self.pattern[self.at : end].decode()
        self.at = end + 1
        return text

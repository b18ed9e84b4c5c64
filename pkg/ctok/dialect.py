"""Patterns of tiktoken and Hugging Face, said in PCRE2's dialect: the same pieces.

The reference (the Rust crates fancy-regex and regex) and PCRE2 agree on how a match is
searched and disagree on what many things mean: ``\\s``, bare script names, ``\\h``,
``\\Z``, ``$``, folding, where a ``(?i)`` ends, ``[a&&b]``. So nothing with a meaning of
its own is passed on: every class, and every letter under ``(?i)``, becomes a set of code
points from our tables, every anchor one that reads the same for both, every flag is
resolved here. What has no equal in PCRE2 is refused by name.

=====================  ==============================================================
``[..] \\d \\p{..} .``   ``[\\x{..}-\\x{..}]``
``(?i)k``              ``[Kk\\x{212a}]``
``^ $ (?m:^) (?m:$)``  ``\\A \\z (?<!\\N) (?!\\N)``; the newline is LF, the dot is any
``\\b \\<``              lookarounds at a word class
``(?x) (?#..)``        dropped
``\\k<name>``           ``\\g{number}``; names are dropped, numbers stay
``x*?+``               ``(?>x*?)``
``\\K \\G \\g<..>``       refused, as are conditionals, absent expressions and verbs
=====================  ==============================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from ctok.errors import InvalidPatternError
from ctok.pcre2_syntax import (
    FIRST_SURROGATE,
    LAST_SURROGATE,
    Ranges,
    Rewritten,
    invalid_pattern,
    literal_text,
    without_surrogates,
)

ParseClass = Callable[[bytes, int, bool], tuple[list[tuple[int, int]], int]]

# PCRE2's limit, and more than any engine of the reference would compile.
MAX_REPEAT = 65535

# The reference stops at 64, PCRE2 at 250, which includes the groups that are added here.
MAX_DEPTH = 80

_QUANTIFIERS = {b"?": (0, 1), b"*": (0, None), b"+": (1, None)}
_QUANTIFIER_TEXTS = {bounds: text.decode() for text, bounds in _QUANTIFIERS.items()}
_CONTROLS = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"e": 27}
_HEX_DIGITS = {b"x": 2, b"u": 4, b"U": 8}

_NUMBER = re.compile(rb"[0-9]+")
_REFERENCE = re.compile(rb"<([^<>]*)>|'([^']*)'")
_RELATIVE = re.compile(r"[+-][0-9]+")

# Words are made of W; each is one group, so that it can be optional.
_WORD_EDGES = {
    "start": "(?:(?<!W)(?=W))",
    "end": "(?:(?<=W)(?!W))",
    "start-half": "(?:(?<!W))",
    "end-half": "(?:(?!W))",
    "b": "(?:(?<=W)(?!W)|(?<!W)(?=W))",
    "B": "(?:(?<=W)(?=W)|(?<!W)(?!W))",
}
_WORD_EDGES |= {"<": _WORD_EDGES["start"], ">": _WORD_EDGES["end"]}


@dataclass(frozen=True)
class Flags:
    """The inline flags in force at a place of the pattern."""

    ignore_case: bool = False
    multi_line: bool = False
    dot_all: bool = False
    swap_greed: bool = False
    ignore_space: bool = False
    crlf: bool = False


_FLAG_NAMES = {
    "i": "ignore_case",
    "m": "multi_line",
    "s": "dot_all",
    "U": "swap_greed",
    "x": "ignore_space",
    "R": "crlf",
}


class _Assertion(str):
    """PCRE2 syntax that takes no quantifier as it stands."""

    __slots__ = ()


class _Opened(Enum):
    """What a parenthesis opened: a group, something whole, nothing that could repeat."""

    GROUP = auto()
    ATOM = auto()
    NOTHING = auto()


@dataclass
class _Group:
    """A group that is still open, or the whole pattern."""

    part: int = 0  # the index of what opens it
    position: int = 0
    number: int = 0  # of a capturing group
    is_lookaround: bool = False
    repeatable: bool = True
    flags: Flags | None = None  # to restore at its end
    branch_is_empty: bool = True  # so far, the branch being read can match nothing
    can_be_empty: bool = False  # a branch before it can


@dataclass
class _Rewriter:
    """Walks the pattern once, left to right, as the reference's parser does."""

    source: bytes
    parse_class: ParseClass
    at: int = 0
    flags: Flags = field(default_factory=Flags)
    parts: list[str | Ranges] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    open: list[_Group] = field(default_factory=lambda: [_Group()])
    n_groups: int = 0
    closed: set[int] = field(default_factory=set)
    names: dict[str, int] = field(default_factory=dict)

    def run(self) -> Rewritten:
        while self._skip_trivia() < len(self.source):
            self._step()
        if len(self.open) > 1:
            raise self._error(self.open[-1].position, "this group is not closed")
        return Rewritten(self.source, tuple(self.parts), tuple(self.origins), self.n_groups)

    # ---- tools ----

    def _error(self, position: int, reason: str) -> InvalidPatternError:
        return invalid_pattern(self.source, position, reason)

    def _refuse(self, position: int, what: str) -> InvalidPatternError:
        return self._error(position, f"{what} is not supported")

    def _peek(self, length: int = 1) -> bytes:
        return self.source[self.at : self.at + length]

    def _emit(self, part: str | Ranges, origin: int) -> None:
        self.parts.append(part)
        self.origins.append(origin)

    def _emit_set(self, ranges: list[tuple[int, int]], origin: int) -> None:
        self._emit(without_surrogates(ranges), origin)

    def _skip_trivia(self) -> int:
        """Moves over comments and, under (?x), white space; returns the new place."""
        while True:
            if self._peek(3) == b"(?#":
                end = self.at + 3
                while end < len(self.source) and self.source[end : end + 1] != b")":
                    end += 2 if self.source[end : end + 1] == b"\\" else 1
                if end >= len(self.source):
                    raise self._error(self.at, "this comment is not closed")
                self.at = end + 1
            elif self.flags.ignore_space and self._peek() and self._peek() in b" \r\n\t":
                self.at += 1
            elif self.flags.ignore_space and self._peek() == b"#":
                line = self.source.find(b"\n", self.at)
                self.at = len(self.source) if line < 0 else line + 1
            else:
                return self.at

    # ---- one piece: an atom and its quantifier ----

    def _step(self) -> None:
        position, first_part = self.at, len(self.parts)
        byte = self._peek()
        repeatable, can_be_empty = True, False
        if byte == b"|":
            self.at += 1
            self._emit("|", position)
            group = self.open[-1]
            group.can_be_empty |= group.branch_is_empty
            group.branch_is_empty = True
            return
        if byte == b"(":
            opened = self._open_group()
            if opened is _Opened.GROUP:
                return
            repeatable, can_be_empty = opened is _Opened.ATOM, True
        elif byte == b")":
            closed = self._close_group()
            first_part, repeatable = closed.part, closed.repeatable
            can_be_empty = closed.can_be_empty
        elif byte == b"[":
            self._class()
        elif byte == b"\\":
            can_be_empty = self._escape()
        elif byte in _QUANTIFIERS:
            raise self._error(position, "there is nothing to repeat")
        elif byte in b".^$":
            self.at += 1
            write = {b".": self._dot, b"^": self._line_start, b"$": self._line_end}[byte]
            self._emit(write(), position)
            can_be_empty = byte != b"."
        else:
            self._literal(self._take_char(), position, fold=True)
        low = self._quantifier(first_part, repeatable, can_be_empty)
        if low > 0 and not can_be_empty:
            self.open[-1].branch_is_empty = False

    def _take_char(self) -> int:
        lead = self.source[self.at]
        length = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        char = ord(self._peek(length).decode())
        self.at += length
        return char

    def _literal(self, char: int, origin: int, *, fold: bool) -> None:
        if fold and self.flags.ignore_case:
            ranges, _ = self.parse_class(b"[\\x{%x}]" % char, 0, True)
            if ranges != [(char, char)]:
                self._emit_set(ranges, origin)
                return
        self._emit(literal_text(char), origin)

    def _dot(self) -> str:
        if self.flags.dot_all:
            return "."
        return r"[^\r\n]" if self.flags.crlf else r"\N"

    def _line_start(self) -> str:
        if not self.flags.multi_line:
            return _Assertion(r"\A")
        if self.flags.crlf:
            return _Assertion(r"(?:\A|(?<=\n)|(?<=\r)(?!\n))")
        return _Assertion(r"(?<!\N)")

    def _line_end(self) -> str:
        if not self.flags.multi_line:
            return _Assertion(r"\z")
        if self.flags.crlf:
            return _Assertion(r"(?:\z|(?=\r)|(?<!\r)(?=\n))")
        return _Assertion(r"(?!\N)")

    def _class(self) -> None:
        ranges, end = self.parse_class(self.source, self.at, self.flags.ignore_case)
        self._emit_set(ranges, self.at)
        self.at = end

    # ---- quantifiers ----

    def _quantifier(self, first_part: int, repeatable: bool, can_be_empty: bool) -> int:
        """Takes the quantifier of an atom, if it has one; returns its lower bound."""
        position = self._skip_trivia()
        bounds = self._bounds()
        if bounds is None:
            return 1
        if not repeatable:
            raise self._error(position, "there is nothing to repeat")
        low, high = bounds
        if low > MAX_REPEAT or (high or 0) > MAX_REPEAT:
            raise self._error(position, f"repeats go up to {MAX_REPEAT}")
        if high is not None and high < low:
            raise self._error(position, "the bounds of this repeat are reversed")
        is_assertion = isinstance(self.parts[first_part], _Assertion)
        if can_be_empty and high != 0 and high != 1:
            # Engines disagree on what an iteration that matched nothing ends.
            raise self._refuse(position, "a repeat of what can match nothing")
        self._skip_trivia()
        lazy = self.flags.swap_greed
        if self._peek() == b"?":
            lazy = not lazy
            self.at += 1
        possessive = self._peek() == b"+"
        self.at += possessive

        text = _QUANTIFIER_TEXTS.get(bounds, f"{{{low},{'' if high is None else high}}}")
        text += "?" * lazy
        if is_assertion:
            self._wrap(first_part, "(?:", ")")
        if possessive and lazy:  # PCRE2 has no such suffix
            self._wrap(first_part, "(?>", text + ")")
        else:
            self._emit(text + "+" * possessive, position)
        return low

    def _wrap(self, first_part: int, before: str, after: str) -> None:
        origin = self.origins[first_part]
        self.parts.insert(first_part, before)
        self.origins.insert(first_part, origin)
        self._emit(after, origin)

    def _bounds(self) -> tuple[int, int | None] | None:
        """Takes ``* + ? {2} {2,} {,3} {2,3}``; a brace that is none of these is text."""
        byte = self._peek()
        if byte in _QUANTIFIERS:
            self.at += 1
            return _QUANTIFIERS[byte]
        if byte != b"{":
            return None
        start = self.at
        self.at += 1
        low = self._take_number()
        comma = self._peek() == b","
        if comma:
            self.at += 1
            high = self._take_number()
        else:
            high = low
        if self._peek() != b"}" or (low is None and not comma):
            self.at = start
            return None
        self.at += 1
        return low or 0, high

    def _take_number(self) -> int | None:
        self._skip_trivia()
        digits = _NUMBER.match(self.source, self.at)
        if digits:
            self.at = digits.end()
        self._skip_trivia()
        # More digits than any limit has are cut, lest int() take them at length.
        return int(digits[0].lstrip(b"0")[:9] or b"0") if digits else None

    # ---- groups ----

    def _open_group(self) -> _Opened:
        """Takes what a parenthesis opens; what is no group is taken whole."""
        position = self.at
        self.at += 1
        self._skip_trivia()
        for opening in (b"?=", b"?!", b"?<=", b"?<!", b"?>"):
            if self._peek(len(opening)) == opening:
                self.at += len(opening)
                is_atomic = opening == b"?>"
                self._push(
                    "(" + opening.decode(),
                    _Group(repeatable=is_atomic, is_lookaround=not is_atomic),
                    position,
                )
                return _Opened.GROUP
        if self._peek(3) == b"?P=":
            self._python_reference(position)
            return _Opened.ATOM
        if self._peek() == b"*":
            self._verb(position)
            return _Opened.NOTHING
        for opening, what in (
            (b"?P>", "a subroutine call"),
            (b"?~", "an absent expression (?~..)"),
            (b"?(", "a conditional (?(..)..)"),
        ):
            if self._peek(len(opening)) == opening:
                raise self._refuse(position, what)
        if self._peek(3) == b"?P<":
            self.at += 2
            self._name(position)
        elif self._peek(2) in (b"?<", b"?'"):
            self.at += 1
            self._name(position)
        elif self._peek() == b"?":
            return self._flag_group(position)
        self.n_groups += 1
        self._push("(", _Group(number=self.n_groups), position)
        return _Opened.GROUP

    def _push(self, text: str, group: _Group, position: int) -> None:
        if len(self.open) > MAX_DEPTH:
            raise self._error(position, f"groups are nested more than {MAX_DEPTH} deep")
        group.part, group.position = len(self.parts), position
        self.open.append(group)
        self._emit(text, position)

    def _close_group(self) -> _Group:
        if len(self.open) == 1:
            raise self._error(self.at, "this parenthesis closes no group")
        group = self.open.pop()
        group.can_be_empty |= group.branch_is_empty or group.is_lookaround
        self._emit(")", self.at)
        self.at += 1
        self.closed.add(group.number)
        # Only (?flags:..) restores: in the reference a bare (?i) outlives its group.
        if group.flags is not None:
            self.flags = group.flags
        return group

    def _name(self, position: int) -> None:
        close = b">" if self._peek() == b"<" else b"'"
        end = self.source.find(close, self.at + 1)
        if end <= self.at + 1:
            raise self._error(self.at, "a group name is missing here")
        name = self.source[self.at + 1 : end].decode()
        if name in self.names:
            raise self._refuse(position, f"a second group named {name!r}")
        self.names[name] = self.n_groups + 1
        self.at = end + 1

    def _flag_group(self, position: int) -> _Opened:
        outer, turn_on, start = self.flags, True, self.at + 1
        self.at = start
        while True:
            self._skip_trivia()
            byte = self._peek()
            here = self.at
            self.at += 1
            if byte == b"-" and turn_on:
                turn_on = False
            elif byte == b"u":
                if not turn_on:
                    raise self._refuse(here, "leaving Unicode mode (?-u)")
            elif byte and byte.decode(errors="replace") in _FLAG_NAMES:
                self.flags = replace(self.flags, **{_FLAG_NAMES[byte.decode()]: turn_on})
            elif byte == b":" and (turn_on or here > start + 1):
                self._push("(?:", _Group(flags=outer), position)
                return _Opened.GROUP
            elif byte == b")" and here > start + (not turn_on):
                return _Opened.NOTHING
            elif not byte:
                raise self._error(position, "this group is not closed")
            else:
                raise self._error(here, "there is no such flag")

    def _verb(self, position: int) -> None:
        end = self.source.find(b")", self.at)
        verb = self.source[self.at : end].decode() if end > 0 else ""
        if verb not in ("*FAIL", "*F"):
            raise self._refuse(position, f"the verb ({verb or '*'})")
        self._emit("(?!)", position)
        self.at = end + 1

    # ---- escapes ----

    def _escape(self) -> bool:
        """Takes an escape; returns whether it can match nothing."""
        position = self.at
        letter = self._peek(2)[1:]
        if not letter:
            raise self._error(position, "a backslash at the end escapes nothing")
        if letter.isdigit():
            digits = _NUMBER.match(self.source, position + 1)
            assert digits is not None
            self.at = digits.end()
            self._reference(position, int(digits[0].lstrip(b"0")[:9] or b"0"))
            return True
        if letter in b"dDsSwWpP":
            self._class()
            return False
        if letter in _HEX_DIGITS:
            self.at += 2
            self._literal(self._hex(position, _HEX_DIGITS[letter]), position, fold=True)
            return False
        if letter in b"bB<>":
            self.at += 2
            self._word_edge(self._boundary(position, letter), position)
            return True
        if letter == b"k":
            self.at += 2
            self._named_reference(position)
            return True
        simple = self._simple_escape(letter, position)
        if simple is not None:
            self._emit(simple, position)
            self.at += 2
            return isinstance(simple, _Assertion)
        if letter in _CONTROLS:
            self._literal(_CONTROLS[letter], position, fold=False)
            self.at += 2
            return False
        if letter.isalpha():
            raise self._unknown_escape(position, letter)
        self.at += 1
        self._literal(self._take_char(), position, fold=False)
        return False

    def _unknown_escape(self, position: int, letter: bytes) -> InvalidPatternError:
        refused = {
            b"K": "\\K (keep out)",
            b"G": "\\G (where the last match ended)",
            b"g": "a subroutine call \\g",
        }
        if letter in refused:
            return self._refuse(position, refused[letter])
        return self._error(position, f"there is no escape \\{letter.decode()}")

    def _simple_escape(self, letter: bytes, position: int) -> str | None:
        if letter == b"Z" and self.flags.crlf:
            raise self._refuse(position, "\\Z under (?R)")
        return {
            b"A": _Assertion(r"\A"),
            b"z": _Assertion(r"\z"),
            b"Z": _Assertion(r"(?=\n*+\z)"),
            b"h": "[0-9A-Fa-f]",
            b"H": "[^0-9A-Fa-f]",
            b"N": r"\N",
            b"O": ".",
            b"R": r"(?>\r\n|[\n\x{b}\f\r\x{85}\x{2028}\x{2029}])",
        }.get(letter)

    def _word_edge(self, edge: str, position: int) -> None:
        ranges, _ = self.parse_class(rb"\w", 0, False)
        before, *behind = _WORD_EDGES[edge].split("W")
        self._emit(_Assertion(before), position)
        for text in behind:
            self._emit_set(ranges, position)
            self._emit(text, position)

    def _boundary(self, position: int, letter: bytes) -> str:
        """The name in ``\\b{start}``, or what stands behind the backslash."""
        end = self.at
        if letter in b"bB":
            self._skip_trivia()
            if self._peek() == b"{" and self._bounds() is None:
                close = self.source.find(b"}", self.at)
                name = self.source[self.at + 1 : close].decode() if close > 0 else ""
                if letter != b"b" or len(name) < 2 or name not in _WORD_EDGES:
                    raise self._error(position, "there is no such boundary")
                self.at = close + 1
                return name
        self.at = end
        return letter.decode()

    def _hex(self, position: int, width: int) -> int:
        self._skip_trivia()
        fixed = re.compile(rb"[0-9A-Fa-f]{%d}" % width).match(self.source, self.at)
        if fixed:
            digits = fixed[0]
            self.at = fixed.end()
        else:
            digits = self._braced_hex(position)
        char = int(digits, 16)
        if char > 0x10FFFF or FIRST_SURROGATE <= char <= LAST_SURROGATE:
            raise self._error(position, f"U+{char:04X} is not a character")
        return char

    def _braced_hex(self, position: int) -> bytes:
        digits = b""
        if self._peek() == b"{":
            self.at += 1
            while self._skip_trivia() < len(self.source) and len(digits) <= 8:
                byte = self._peek()
                self.at += 1
                if byte == b"}" and digits:
                    return digits
                if byte not in b"0123456789abcdefABCDEF":
                    break
                digits += byte
        raise self._error(position, "hexadecimal digits are missing here")

    # ---- back references ----

    def _reference(self, position: int, number: int) -> None:
        if self.flags.ignore_case:
            raise self._refuse(position, "a back reference under (?i)")
        if number not in self.closed or number == 0:
            # Engines disagree on references to a group from within or before it.
            raise self._refuse(position, f"a reference to group {number}, not closed here,")
        self._emit(f"\\g{{{number}}}", position)

    def _named_reference(self, position: int) -> None:
        found = _REFERENCE.match(self.source, self.at)
        if not found:
            raise self._error(position, "a group name is missing here")
        self.at = found.end()
        self._resolve(position, (found[1] or found[2] or b"").decode())

    def _python_reference(self, position: int) -> None:
        end = self.source.find(b")", self.at)
        if end < 0:
            raise self._error(position, "this group is not closed")
        name = self.source[self.at + 3 : end].decode()
        self.at = end + 1
        self._resolve(position, name)

    def _resolve(self, position: int, name: str) -> None:
        if name.isascii() and name.isdigit():
            self._reference(position, int(name[:9]))
        elif _RELATIVE.fullmatch(name):
            offset = int(name[:9])
            self._reference(position, self.n_groups + offset + (offset < 0))
        elif name in self.names:
            self._reference(position, self.names[name])
        else:
            raise self._error(position, f"no group before this place is named {name!r}")


def rewrite(pattern: str, parse_class: ParseClass | None = None) -> Rewritten:
    """Says a pattern in PCRE2's dialect.

    Args:
        pattern: as tiktoken or a tokenizer.json has it.
        parse_class: reads one class; by default the core's, with our Unicode tables.

    Returns:
        The rewritten pattern.

    Raises:
        InvalidPatternError: it is malformed, or says what PCRE2 cannot say exactly.

    Example:
        >>> rewrite("(?i:k)|$").render()[0]
        '(?:[\\\\x{4b}\\\\x{6b}\\\\x{212a}])|\\\\z'
    """
    if parse_class is None:
        from ctok import _core

        parse_class = _core.parse_class
    try:
        source = pattern.encode()
    except UnicodeEncodeError as exc:
        raise InvalidPatternError(
            f"invalid pattern at offset {exc.start}: a lone surrogate is no character",
            pattern=pattern,
            offset=exc.start,
        ) from exc
    return _Rewriter(source, parse_class).run()

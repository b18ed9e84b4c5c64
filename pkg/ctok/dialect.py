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
from ctok.pattern_source import QUANTIFIERS, Flags, Source
from ctok.pcre2_symbols import (
    CONTROLS,
    ESCAPES,
    HEX_DIGITS,
    REFUSED_ESCAPES,
    REFUSED_GROUPS,
    WORD_EDGES,
    Assertion,
    dot,
    line_end,
    line_start,
    quantifier,
)
from ctok.pcre2_syntax import Ranges, Rewritten, literal_text, without_surrogates

ParseClass = Callable[[bytes, int, bool], tuple[list[tuple[int, int]], int]]

# PCRE2's limit, and more than any engine of the reference would compile.
MAX_REPEAT = 65535

# The reference stops at 64, PCRE2 at 250, which includes the groups that are added here.
MAX_DEPTH = 80

_RELATIVE = re.compile(r"[+-][0-9]+")

_FLAG_NAMES = {
    "i": "ignore_case",
    "m": "multi_line",
    "s": "dot_all",
    "U": "swap_greed",
    "x": "ignore_space",
    "R": "crlf",
}


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
    is_behind: bool = False  # it or what it stands in is a lookbehind
    repeatable: bool = True
    flags: Flags | None = None  # to restore at its end
    branch_is_empty: bool = True  # so far, the branch being read can match nothing
    can_be_empty: bool = False  # a branch before it can


@dataclass
class _Rewriter:
    """Walks the pattern once, left to right, as the reference's parser does."""

    source: Source
    parse_class: ParseClass
    parts: list[str | Ranges] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    open: list[_Group] = field(default_factory=lambda: [_Group()])
    n_groups: int = 0
    closed: set[int] = field(default_factory=set)
    behind: set[int] = field(default_factory=set)  # groups in a lookbehind
    fixed_lookbehinds: bool = False
    names: dict[str, int] = field(default_factory=dict)

    def run(self) -> Rewritten:
        while self.source.skip_trivia() < len(self.source.pattern):
            self._step()
        if len(self.open) > 1:
            raise self.source.error(self.open[-1].position, "this group is not closed")
        whole = self.open[0]
        return Rewritten(
            self.source.pattern,
            tuple(self.parts),
            tuple(self.origins),
            self.n_groups,
            whole.can_be_empty or whole.branch_is_empty,
            self.fixed_lookbehinds,
        )

    # ---- output ----

    def _emit(self, part: str | Ranges, origin: int) -> None:
        if isinstance(part, Assertion):
            self.fixed_lookbehinds |= self.open[-1].is_behind
        self.parts.append(part)
        self.origins.append(origin)

    def _emit_set(self, ranges: list[tuple[int, int]], origin: int) -> None:
        self._emit(without_surrogates(ranges), origin)

    # ---- one piece: an atom and its quantifier ----

    def _step(self) -> None:
        source = self.source
        position, first_part = source.at, len(self.parts)
        byte = source.peek()
        repeatable, can_be_empty = True, False
        if byte == b"|":
            source.at += 1
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
        elif byte in QUANTIFIERS:
            raise source.error(position, "there is nothing to repeat")
        elif byte in b".^$":
            source.at += 1
            symbol = {b".": dot, b"^": line_start, b"$": line_end}[byte]
            self._emit(symbol(source.flags), position)
            can_be_empty = byte != b"."
        else:
            self._literal(source.take_char(), position, fold=True)
        low = self._quantifier(first_part, repeatable, can_be_empty)
        if low > 0 and not can_be_empty:
            self.open[-1].branch_is_empty = False

    def _literal(self, char: int, origin: int, *, fold: bool) -> None:
        if fold and self.source.flags.ignore_case:
            ranges, _ = self.parse_class(b"[\\x{%x}]" % char, 0, True)
            if ranges != [(char, char)]:
                self._emit_set(ranges, origin)
                return
        self._emit(literal_text(char), origin)

    def _class(self) -> None:
        source = self.source
        ranges, end = self.parse_class(source.pattern, source.at, source.flags.ignore_case)
        self._emit_set(ranges, source.at)
        source.at = end

    # ---- quantifiers ----

    def _quantifier(self, first_part: int, repeatable: bool, can_be_empty: bool) -> int:
        """Takes the quantifier of an atom, if it has one; returns its lower bound."""
        source = self.source
        position = source.skip_trivia()
        bounds = source.take_bounds()
        if bounds is None:
            return 1
        if not repeatable:
            raise source.error(position, "there is nothing to repeat")
        low, high = bounds
        if low > MAX_REPEAT or (high or 0) > MAX_REPEAT:
            raise source.error(position, f"repeats go up to {MAX_REPEAT}")
        if high is not None and high < low:
            raise source.error(position, "the bounds of this repeat are reversed")
        is_assertion = isinstance(self.parts[first_part], Assertion)
        if can_be_empty and high != 0 and high != 1:
            # Engines disagree on what an iteration that matched nothing ends.
            raise source.refusal(position, "a repeat of what can match nothing")
        source.skip_trivia()
        lazy = source.flags.swap_greed
        if source.take_if(b"?"):
            lazy = not lazy
        possessive = source.take_if(b"+")
        text = quantifier(low, high, lazy=lazy)
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

    # ---- groups ----

    def _open_group(self) -> _Opened:
        """Takes what a parenthesis opens; what is no group is taken whole."""
        source = self.source
        position = source.at
        source.at += 1
        source.skip_trivia()
        for opening in (b"?=", b"?!", b"?<=", b"?<!", b"?>"):
            if source.take_if(opening):
                is_atomic = opening == b"?>"
                if not is_atomic:
                    self.fixed_lookbehinds |= self.open[-1].is_behind
                self._push(
                    "(" + opening.decode(),
                    _Group(
                        repeatable=is_atomic,
                        is_lookaround=not is_atomic,
                        is_behind=b"<" in opening,
                    ),
                    position,
                )
                return _Opened.GROUP
        if source.take_if(b"?P="):
            self._python_reference(position)
            return _Opened.ATOM
        if source.peek() == b"*":
            self._verb(position)
            return _Opened.NOTHING
        for opening, what in REFUSED_GROUPS.items():
            if source.take_if(opening):
                raise source.refusal(position, what)
        if source.peek(3) == b"?P<":
            source.at += 2
            self._name(position)
        elif source.peek(2) in (b"?<", b"?'"):
            source.at += 1
            self._name(position)
        elif source.peek() == b"?":
            return self._flag_group(position)
        self.n_groups += 1
        self._push("(", _Group(number=self.n_groups), position)
        return _Opened.GROUP

    def _push(self, text: str, group: _Group, position: int) -> None:
        if len(self.open) > MAX_DEPTH:
            raise self.source.error(position, f"groups are nested more than {MAX_DEPTH} deep")
        group.part, group.position = len(self.parts), position
        group.is_behind |= self.open[-1].is_behind
        self.open.append(group)
        self._emit(text, position)

    def _close_group(self) -> _Group:
        source = self.source
        if len(self.open) == 1:
            raise source.error(source.at, "this parenthesis closes no group")
        group = self.open.pop()
        group.can_be_empty |= group.branch_is_empty or group.is_lookaround
        self._emit(")", source.at)
        source.at += 1
        self.closed.add(group.number)
        if group.is_behind:
            self.behind.add(group.number)
        # Only (?flags:..) restores: in the reference a bare (?i) outlives its group.
        if group.flags is not None:
            source.flags = group.flags
        return group

    def _name(self, position: int) -> None:
        name = self.source.take_group_name()
        if name in self.names:
            raise self.source.refusal(position, f"a second group named {name!r}")
        self.names[name] = self.n_groups + 1

    def _flag_group(self, position: int) -> _Opened:
        source = self.source
        outer, turn_on, start = source.flags, True, source.at + 1
        source.at = start
        while True:
            source.skip_trivia()
            byte = source.peek()
            here = source.at
            source.at += 1
            if byte == b"-" and turn_on:
                turn_on = False
            elif byte == b"u":
                if not turn_on:
                    raise source.refusal(here, "leaving Unicode mode (?-u)")
            elif byte and byte.decode(errors="replace") in _FLAG_NAMES:
                name = _FLAG_NAMES[byte.decode()]
                source.flags = replace(source.flags, **{name: turn_on})
            elif byte == b":" and (turn_on or here > start + 1):
                self._push("(?:", _Group(flags=outer), position)
                return _Opened.GROUP
            elif byte == b")" and here > start + (not turn_on):
                return _Opened.NOTHING
            elif not byte:
                raise source.error(position, "this group is not closed")
            else:
                raise source.error(here, "there is no such flag")

    def _verb(self, position: int) -> None:
        verb = self.source.take_until(b")") or "*"
        if verb not in ("*FAIL", "*F"):
            raise self.source.refusal(position, f"the verb ({verb})")
        self._emit("(?!)", position)

    # ---- escapes ----

    def _escape(self) -> bool:
        """Takes an escape; returns whether it can match nothing."""
        source = self.source
        position = source.at
        letter = source.peek(2)[1:]
        if not letter:
            raise source.error(position, "a backslash at the end escapes nothing")
        if letter.isdigit():
            source.at += 1
            self._reference(position, source.take_digits() or 0)
            return True
        if letter in b"dDsSwWpP":
            self._class()
            return False
        if letter in HEX_DIGITS:
            source.at += 2
            self._literal(source.take_hex(position, HEX_DIGITS[letter]), position, fold=True)
            return False
        if letter in b"bB<>":
            source.at += 2
            self._word_edge(self._boundary(position, letter), position)
            return True
        if letter == b"k":
            source.at += 2
            self._resolve(position, source.take_reference(position))
            return True
        if letter in ESCAPES:
            if letter == b"Z" and source.flags.crlf:
                raise source.refusal(position, "\\Z under (?R)")
            source.at += 2
            self._emit(ESCAPES[letter], position)
            return isinstance(ESCAPES[letter], Assertion)
        if letter in CONTROLS:
            self._literal(CONTROLS[letter], position, fold=False)
            source.at += 2
            return False
        if letter.isalpha():
            if letter in REFUSED_ESCAPES:
                raise source.refusal(position, REFUSED_ESCAPES[letter])
            raise source.error(position, f"there is no escape \\{letter.decode()}")
        source.at += 1
        self._literal(source.take_char(), position, fold=False)
        return False

    def _word_edge(self, edge: str, position: int) -> None:
        ranges, _ = self.parse_class(rb"\w", 0, False)
        before, *behind = WORD_EDGES[edge].split("W")
        self._emit(Assertion(before), position)
        for text in behind:
            self._emit_set(ranges, position)
            self._emit(text, position)

    def _boundary(self, position: int, letter: bytes) -> str:
        """The name in ``\\b{start}``, or what stands behind the backslash."""
        source = self.source
        end = source.at
        if letter in b"bB":
            source.skip_trivia()
            if source.peek() == b"{" and source.take_bounds() is None:
                source.at += 1
                name = source.take_until(b"}") or ""
                if letter != b"b" or len(name) < 2 or name not in WORD_EDGES:
                    raise source.error(position, "there is no such boundary")
                return name
        source.at = end
        return letter.decode()

    # ---- back references ----

    def _reference(self, position: int, number: int) -> None:
        if self.source.flags.ignore_case:
            raise self.source.refusal(position, "a back reference under (?i)")
        if number not in self.closed or number == 0:
            # Engines disagree on references to a group from within or before it.
            raise self.source.refusal(position, f"a reference to group {number}, not closed here,")
        self.fixed_lookbehinds |= number in self.behind
        self._emit(f"\\g{{{number}}}", position)

    def _python_reference(self, position: int) -> None:
        name = self.source.take_until(b")")
        if name is None:
            raise self.source.error(position, "this group is not closed")
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
            raise self.source.error(position, f"no group before this place is named {name!r}")


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
    return _Rewriter(Source(source), parse_class).run()

"""The slow, obvious tokenizer that the core is held against.

Nothing here is shared with the library: characters come from ``unicodedata2`` (Unicode
16.0), matching from the standard library's ``re`` with every class spelled out as code points,
merging from the definition. When it and the core differ, shrink the input, then decide by the
definition which is wrong.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import unicodedata2

N_CODE_POINTS = 0x110000

# ---- sets of characters: an int whose bit i stands for code point i ----------------


def _bits(code_points: Collection[int]) -> int:
    flags = bytearray(b"0" * N_CODE_POINTS)
    for code_point in code_points:
        flags[N_CODE_POINTS - 1 - code_point] = ord("1")
    return int(flags, 2)


@functools.cache
def _categories() -> dict[str, int]:
    """The characters of each two-letter general category."""
    members: dict[str, list[int]] = {}
    for code_point in range(N_CODE_POINTS):
        members.setdefault(unicodedata2.category(chr(code_point)), []).append(code_point)
    return {category: _bits(code_points) for category, code_points in members.items()}


@functools.cache
def _everything() -> int:
    return ((1 << N_CODE_POINTS) - 1) & ~_categories()["Cs"]


def _union_of(*categories: str) -> int:
    """The characters whose general category starts with one of the given names."""
    chosen = 0
    for category, members in _categories().items():
        if category.startswith(categories):
            chosen |= members
    return chosen


# The script is told by the character's name, which Unicode never changes. What is not named
# after ideographs is listed in Scripts.txt.
_HAN_NAMES = (
    "CJK UNIFIED IDEOGRAPH-",
    "CJK COMPATIBILITY IDEOGRAPH-",
    "CJK RADICAL ",
    "KANGXI RADICAL ",
    "HANGZHOU NUMERAL ",
    "OLD CHINESE ",
    "VIETNAMESE ALTERNATE READING MARK ",
    "IDEOGRAPHIC ITERATION MARK",
    "VERTICAL IDEOGRAPHIC ITERATION MARK",
    "IDEOGRAPHIC NUMBER ZERO",
)


@functools.cache
def _han() -> int:
    return _bits(
        [i for i in range(N_CODE_POINTS) if unicodedata2.name(chr(i), "").startswith(_HAN_NAMES)]
    )


@functools.cache
def character_class(name: str) -> int:
    """The characters of ``L``, ``Lu``, ``Han`` and so on, or of the letter of an escape
    such as ``s``. A capital letter of an escape (``S``) is the complement."""
    if name in ("Han", "sc:Han", "Script=Han", "sc=Han"):
        return _han()
    if name == "\\s":
        return _union_of("Zs", "Zl", "Zp") | _bits([9, 10, 11, 12, 13, 0x85])
    if name == "\\d":
        return _union_of("Nd")
    if name == "\\w":
        circled = [*range(0x24B6, 0x24EA), *range(0x1F130, 0x1F14A)]
        circled += [*range(0x1F150, 0x1F16A), *range(0x1F170, 0x1F18A)]
        joiners = [0x200C, 0x200D]
        return _union_of("L", "M", "Nd", "Nl", "Pc") | _bits(circled + joiners)
    if name in ("\\S", "\\D", "\\W"):
        return _everything() & ~character_class(name.lower())
    chosen = _union_of(name)
    if not chosen:
        raise ValueError(f"the reference does not know the class {name!r}")
    return chosen


def ranges_of(members: int) -> list[tuple[int, int]]:
    """The first and last code point of every run in a set."""
    flags = bin(members)[:1:-1]
    return [(run.start(), run.end() - 1) for run in re.finditer("1+", flags)]


@functools.cache
def _spelled_out(members: int) -> str:
    """A set as a class of the standard library's ``re``."""
    ranges = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges_of(members))
    return f"[{ranges}]" if ranges else "(?!)"


def _simple_fold(char: str) -> str:
    folded = char.casefold()
    return folded if len(folded) == 1 else char


@functools.cache
def _ignoring_case(members: int) -> int:
    """The characters that are the same as a member but for case."""
    folded = {
        _simple_fold(chr(i)) for first, last in ranges_of(members) for i in range(first, last + 1)
    }
    return members | _bits([i for i in range(N_CODE_POINTS) if _simple_fold(chr(i)) in folded])


# ---- patterns ---------------------------------------------------------------------

_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}


class _Translator:
    """Rewrites a pattern of tiktoken's syntax for the standard library's ``re``."""

    def __init__(self, pattern: str) -> None:
        self.rest = pattern
        self.ignore_case = [False]  # of each open group

    def take(self, n: int = 1) -> str:
        taken, self.rest = self.rest[:n], self.rest[n:]
        return taken

    def translate(self) -> str:
        out: list[str] = []
        while self.rest:
            if self.rest.startswith("(?i:"):
                self.take(4)
                self.ignore_case.append(True)
                out.append("(?:")
            elif self.rest.startswith("("):
                group = re.match(r"\((\?(<?[=!]|[:>]))?", self.rest)
                assert group is not None
                out.append(self.take(group.end()))
                self.ignore_case.append(self.ignore_case[-1])
            elif self.rest.startswith(")"):
                out.append(self.take())
                self.ignore_case.pop()
            elif self.rest.startswith("["):
                out.append(_spelled_out(self.bracket()))
            elif self.rest.startswith("\\"):
                escape = self.escape()
                literal = isinstance(escape, str)
                out.append(re.escape(escape) if literal else _spelled_out(escape))  # type: ignore[arg-type]
            elif self.rest.startswith("$"):
                self.take()
                out.append(r"\Z")
            else:
                char = self.take()
                if self.ignore_case[-1] and char.isalpha():
                    char = _spelled_out(_ignoring_case(_bits([ord(char)])))
                out.append(char if char != " " else r"\ ")
        return "".join(out)

    def escape(self) -> str | int:
        """A character, or a set of them."""
        letter = self.take(2)[1]
        if letter in "pP":
            name = self.take(self.rest.index("}") + 1 if self.rest[0] == "{" else 1).strip("{}")
            members = character_class(name)
            return members if letter == "p" else _everything() & ~members
        if letter in "sSdDwW":
            return character_class("\\" + letter)
        if letter.isalnum() and letter not in _ESCAPED:
            raise ValueError(f"the reference does not know \\{letter}")
        return _ESCAPED.get(letter, letter)

    def bracket(self) -> int:
        """``[ ... ]`` with ranges, nested sets and the operators ``&& -- ~~``."""
        self.take()
        negated = self.rest.startswith("^")
        self.take(int(negated))
        result: int | None = None
        operator = ""
        members = 0
        while True:
            if self.rest[:2] in ("&&", "--", "~~") or self.rest[0] == "]":
                if result is None:
                    result = members
                elif operator == "&&":
                    result &= members
                elif operator == "--":
                    result &= ~members
                else:
                    result ^= members
                if self.rest[0] == "]":
                    break
                operator, members = self.take(2), 0
            elif self.rest[0] == "[":
                members |= self.bracket()
            else:
                members |= self.member()
        self.take()
        if self.ignore_case[-1]:
            result = _ignoring_case(result)
        return _everything() & ~result if negated else result

    def member(self) -> int:
        first = self.escape() if self.rest[0] == "\\" else self.take()
        if isinstance(first, int):
            return first
        last = first
        if self.rest[0] == "-" and self.rest[1] not in "-]":
            self.take()
            end = self.escape() if self.rest[0] == "\\" else self.take()
            assert isinstance(end, str)
            last = end
        return _bits(range(ord(first), ord(last) + 1))


@functools.cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The same pattern for the standard library's ``re``."""
    return re.compile(_Translator(pattern).translate())


def split(pattern: str, text: str) -> list[tuple[int, int]]:
    """Where the pieces of a text are. Text without match is skipped, empty matches too."""
    compiled = compile_pattern(pattern)
    pieces = []
    position = 0
    while (match := compiled.search(text, position)) is not None:
        if match.end() > match.start():
            pieces.append(match.span())
            position = match.end()
        elif match.end() == len(text):
            break
        else:
            position = match.end() + 1
    return pieces


# ---- merging ----------------------------------------------------------------------


class MissingRank(Exception):  # noqa: N818
    """A byte that is no token and merged into none."""


def merge(ranks: Mapping[bytes, int], piece: bytes) -> list[bytes]:
    """Joins the neighbours that make the token of the lowest rank, the leftmost first, until
    no two neighbours make a token."""
    parts = [piece[i : i + 1] for i in range(len(piece))]

    def rank(i: int) -> float:
        return ranks.get(parts[i] + parts[i + 1], math.inf)

    costs = [rank(i) for i in range(len(parts) - 1)]
    while costs and (lowest := min(costs)) < math.inf:
        i = costs.index(lowest)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
        del costs[i]
        for j in (i - 1, i):
            if 0 <= j < len(costs):
                costs[j] = rank(j)
    return parts


def encode_piece(ranks: Mapping[bytes, int], piece: bytes) -> list[bytes]:
    """The tokens of a piece: the piece itself where it is one, else what merging makes."""
    parts = [piece] if piece in ranks else merge(ranks, piece)
    for part in parts:
        if part not in ranks:
            raise MissingRank(part)
    return parts


# ---- the tokenizer ----------------------------------------------------------------


class Encoded(NamedTuple):
    ids: list[int]
    byte_offsets: list[tuple[int, int]]
    char_offsets: list[tuple[int, int]]


def repair(text: str) -> str:
    """Joins surrogate pairs and turns lone surrogates into U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Tokenizer:
    """Text to ids and back, by the definition."""

    def __init__(
        self, pattern: str, ranks: Mapping[bytes, int], specials: Mapping[str, int] | None = None
    ) -> None:
        self.pattern = pattern
        self.ranks = ranks
        self.specials = dict(specials or {})
        self.tokens = {rank: token for token, rank in ranks.items()}
        self.tokens |= {number: text.encode() for text, number in self.specials.items()}
        self._cached = functools.lru_cache(1 << 16)(functools.partial(encode_piece, ranks))

    def segments(self, text: str, allowed: Collection[str]) -> Iterator[tuple[int, int, bool]]:
        """Start and end of the allowed specials and of what is between them. The leftmost
        special is taken first, of those that start together the longest."""
        start = position = 0
        while position < len(text):
            here = [special for special in allowed if text.startswith(special, position)]
            if here:
                end = position + len(max(here, key=len))
                yield start, position, False
                yield position, end, True
                start = position = end
            else:
                position += 1
        yield start, len(text), False

    def encode(self, text: str, allowed: Collection[str] = ()) -> Encoded:
        """Ids with their offsets; allowed specials become their ids."""
        mended = repair(text)
        spans: list[tuple[int, int, int]] = []
        for start, end, is_special in self.segments(mended, set(allowed) & set(self.specials)):
            if is_special:
                at, n = len(mended[:start].encode()), len(mended[start:end].encode())
                spans.append((self.specials[mended[start:end]], at, at + n))
                continue
            for first, last in split(self.pattern, mended[start:end]):
                at = len(mended[: start + first].encode())
                for token in self._cached(mended[start + first : start + last].encode()):
                    spans.append((self.ranks[token], at, at + len(token)))
                    at += len(token)
        owner = _owners(text, mended)
        chars = [(owner[a][0], owner[b - 1][1]) for _, a, b in spans]
        return Encoded([i for i, _, _ in spans], [(a, b) for _, a, b in spans], chars)

    def decode_bytes(self, ids: Collection[int]) -> bytes:
        return b"".join(self.tokens[token_id] for token_id in ids)


def _owners(text: str, mended: str) -> list[tuple[int, int]]:
    """For each byte of the mended text, the characters of the text it belongs to."""
    owners = []
    position = 0
    for char in mended:
        n_chars = 2 if ord(char) > 0xFFFF and text[position] != char else 1
        owners += [(position, position + n_chars)] * len(char.encode())
        position += n_chars
    return owners

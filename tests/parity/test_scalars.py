"""Every scalar value of Unicode in several contexts: pieces end where tiktoken ends them.

Ids say where pieces end when any two neighbouring characters would merge if they could. So the
vocabulary here has all bytes, and every pair of a last byte of a character and a first byte of
one; inside a character nothing merges.

    a é | b        61 c3a9 | 62        bytes a+c3, a9, b        | is the end of a piece
    a | é b        61 | c3a9 62        bytes a, c3, a9+b
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tiktoken

import ctok
from oracles import patterns

SEPARATOR = "<|separator|>"
CONTEXTS = ("{0}", "a{0}", " {0}", "{0}a", "{0}{0}{0}{0}{0}", "A{0}b7{0}!{0}\n{0} '{0}S")
CLASSES = """
    L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp
    C Cc Cf Co Cn Han Latin Hiragana Katakana Hangul Greek Cyrillic Arabic Hebrew Thai
"""
EXPRESSIONS = r"""
    \s \S \d \D \w \W . (?i:s) (?i:k) (?i:[a-z]) [^\s\p{L}\p{N}] [\p{L}&&[^\p{Han}]]
    [\p{L}--\p{Lu}] [\p{L}~~[\p{Lu}\d]] \p{^L} \P{L} \pN [[:alpha:]] [[:^space:]\p{Zs}]
"""


def is_scalar(code_point: int) -> bool:
    return not 0xD800 <= code_point < 0xE000


EVERYTHING = [chr(i) for i in range(0x110000) if is_scalar(i)]
# The planes that have assigned characters, and samples of those that have none.
ASSIGNED = [
    char
    for char in EVERYTHING
    if ord(char) < 0x40000
    or 0xE0000 <= ord(char) < 0xE1000
    or ord(char) % 251 == 0
    or ord(char) % 0x10000 in (0, 1, 0xFFFE, 0xFFFF)
]


@functools.cache
def ranks() -> dict[bytes, int]:
    ascii_bytes = range(0x80)
    last_bytes = [*ascii_bytes, *range(0x80, 0xC0)]
    first_bytes = [*ascii_bytes, *range(0xC2, 0xF5)]
    tokens = [bytes([i]) for i in range(256)]
    tokens += [bytes([last, first]) for last in last_bytes for first in first_bytes]
    # Runs in ASCII, where one pair may hide the next.
    tokens += [bytes([byte]) * n for byte in ascii_bytes for n in (3, 4, 5)]
    return {token: i for i, token in enumerate(tokens)}


def check(pattern: str, text: str) -> None:
    definition = {
        "pat_str": pattern,
        "mergeable_ranks": ranks(),
        "special_tokens": {SEPARATOR: len(ranks())},
    }
    theirs = tiktoken.Encoding("scalars", **definition)  # type: ignore[arg-type]
    ours = ctok.Encoding("scalars", **definition)  # type: ignore[arg-type]
    expected = theirs.encode_to_numpy(text, allowed_special="all")
    actual = ours.encode_to_numpy(text, allowed_special="all")
    if np.array_equal(expected, actual):
        return
    n = min(len(expected), len(actual))
    differing = np.flatnonzero(expected[:n] != actual[:n])
    first = int(differing[0]) if len(differing) else n
    around = ours.decode(actual[max(0, first - 8) : first + 8])
    pytest.fail(f"ids differ from the {first}th on, at {around!r}")


@functools.cache
def cases(context: str, characters: str) -> str:
    chosen = EVERYTHING if characters == "everything" else ASSIGNED
    return SEPARATOR.join(map(context.format, chosen))


@pytest.mark.parametrize("name", ["gpt2", "cl100k_base", "o200k_base", "llama3", "qwen2", "kimi"])
@pytest.mark.parametrize(
    "characters", ["assigned", pytest.param("everything", marks=pytest.mark.slow)]
)
def test_pieces_end_where_tiktoken_ends_them(name: str, characters: str) -> None:
    assert 1_112_064 == len(EVERYTHING)
    for context in CONTEXTS:
        check(patterns()[name], cases(context, characters))


@functools.cache
def all_together() -> str:
    return "".join(EVERYTHING)


@pytest.mark.parametrize(
    "expression", [*(rf"\p{{{name}}}" for name in CLASSES.split()), *EXPRESSIONS.split()]
)
def test_class_has_the_members_it_has_for_tiktoken(expression: str) -> None:
    # Text that a pattern does not cover has no ids: what is left are the members.
    check(expression, all_together())

"""The engines agree with each other, and PCRE2 with the reference, piece for piece."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable

import pytest
import tiktoken
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ctok import _core, patterns, pcre2
from ctok.errors import InvalidPatternError, LimitError
from strategies import clean_texts

# Each different pattern once, under the first of its names.
STEPS = {
    step: f"{name}-{i}"
    for name in reversed(patterns.names())
    for i, step in enumerate(patterns.get(name).steps)
}
every_pattern = pytest.mark.parametrize("pattern", STEPS, ids=STEPS.values())

automaton = functools.cache(functools.partial(_core.Splitter, engine="automaton"))
machine_code = functools.cache(functools.partial(_core.Splitter, engine="pcre2"))
interpreter = functools.cache(functools.partial(pcre2.compile, jit=False))

BYTES = {bytes([i]): i for i in range(256)}


def is_reference_split(pattern: str, text: str, pieces: list[str]) -> bool:
    """Whether tiktoken cuts text into these pieces.

    It gets a vocabulary of the pieces and of their concatenations by twos and threes: where
    it cuts elsewhere, other tokens come out.
    """
    parts = [piece.encode() for piece in pieces]
    tokens = dict(BYTES)
    for n in (1, 2, 3):
        for i in range(len(parts) - n + 1):
            tokens.setdefault(b"".join(parts[i : i + n]), len(tokens))
    encoding = tiktoken.Encoding(
        "pieces", pat_str=pattern, mergeable_ranks=tokens, special_tokens={}
    )
    return encoding.encode_ordinary(text) == [tokens[part] for part in parts]


@every_pattern
@settings(max_examples=60)
@given(text=clean_texts())
def test_engines_agree_on_every_named_pattern(pattern: str, text: str) -> None:
    expected = automaton(pattern).split(text)
    assert expected == machine_code(pattern).split(text)
    assert expected == interpreter(pattern).split(text)


@every_pattern
def test_engines_agree_on_random_code_points(pattern: str) -> None:
    source = random.Random(16)
    for _ in range(40):
        points = (source.randrange(0x110000) for _ in range(500))
        text = "".join(chr(c) for c in points if not 0xD800 <= c < 0xE000)
        assert automaton(pattern).split(text) == machine_code(pattern).split(text)


@every_pattern
@pytest.mark.parametrize("name", ["english", "code", "multilingual", "web_mix"])
def test_engines_agree_on_corpora(pattern: str, name: str, corpus: Callable[[str], str]) -> None:
    text = corpus(f"{name}.txt")[:100_000]
    assert automaton(pattern).split(text) == machine_code(pattern).split(text)


@every_pattern
@settings(max_examples=40)
@given(text=clean_texts())
def test_pcre2_splits_named_patterns_as_the_reference(pattern: str, text: str) -> None:
    assert is_reference_split(pattern, text, machine_code(pattern).split(text))


@every_pattern
@pytest.mark.parametrize("unit", ["a", " ", "A", "漢", "\n", "7", "^", "aA", " a", "\u0301"])
def test_long_runs_of_every_unit_split_alike(pattern: str, unit: str) -> None:
    text = unit * (100_000 // len(unit))
    assert automaton(pattern).split(text) == machine_code(pattern).split(text)


# ---- patterns nobody ships ----------------------------------------------------------------


@pytest.mark.parametrize("text", ["Éé", "aA ſsS kK\u212a"])
@pytest.mark.parametrize(
    "pattern",
    [r"(?i:\é)", r"(?i)\ſ", r"(?i)[\ſ]", r"(?i)\x{e9}|\u212a", r"(?i)é|ſ+", r"(?i)k|(?-i)s"],
)
def test_a_letter_behind_a_backslash_has_one_case(pattern: str, text: str) -> None:
    pieces = automaton(pattern).split(text)
    assert pieces == machine_code(pattern).split(text)
    assert is_reference_split(pattern, text, pieces)


ATOMS = st.sampled_from(
    [
        *"abAk.s",
        " ", "\u017f", "é", r"\n", r"\x61", r"\u0062", "^", "$", "[ab]", "[^a]", "[a-c&&[^b]]",
        r"[^\s\p{L}]", r"\w", r"\s", r"\S", r"\d", r"\W", r"\p{L}", r"\h", r"\R", r"\N", r"\O",
        r"\A", r"\z", r"\Z", r"\b", r"\B", r"\<", r"\>", r"\.", r"\é", "{", "]", "a{2",
    ]
)  # fmt: skip
# Flags only where they end with a group: what else follows them is tested one by one.
OPENINGS = st.sampled_from(
    ["(", "(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?s:", "(?m:", "(?-i:"]
)
QUANTIFIERS = st.sampled_from(
    ["", "", "", "", "*", "+", "?", "*?", "+?", "++", "?+", "{2}", "{1,2}", "{,2}"]
)


def join(parts: list[tuple[str, str]]) -> str:
    return "".join(atom + quantifier for atom, quantifier in parts)


EXPRESSIONS = st.recursive(
    st.lists(st.tuples(ATOMS, QUANTIFIERS), min_size=1, max_size=3).map(join),
    lambda inner: st.one_of(
        st.tuples(OPENINGS, inner, QUANTIFIERS).map(lambda p: f"{p[0]}{p[1]}){p[2]}"),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=6,
)


@settings(max_examples=400)
@given(
    expression=EXPRESSIONS, text=st.text("aabbAs kK\u017f \u212aé\n\r 漢1_-.\u0301", max_size=20)
)
def test_random_patterns_split_as_the_reference_or_are_refused(expression: str, text: str) -> None:
    pattern = f"(?=\\O)(?:{expression})|\\O"
    try:
        pieces = pcre2.compile(pattern).split(text)
    except (InvalidPatternError, LimitError):
        assume(False)
    # An empty match, on which tiktoken panics, hides a character.
    assume("".join(pieces) == text)
    try:
        agrees = is_reference_split(pattern, text, pieces)
    except ValueError:
        assume(False)  # the reference refuses more: (?:(?=a))* for one
    assert agrees

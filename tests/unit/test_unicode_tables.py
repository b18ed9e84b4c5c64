"""The classes of patterns against two other people's tables, over every character.

``unicodedata2`` knows categories at Unicode 16; tiktoken, asked with a class as the whole
pattern, gives back the characters that its regex crates count in. Neither shares a byte of data
with ``tools/unicode_tables.py``.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import cache

import pytest
import tiktoken
import unicodedata2

from ctok._core import parse_class
from testdata import ROOT

SCALARS = [*range(0xD800), *range(0xE000, 0x110000)]
BYTES = {bytes([i]): i for i in range(256)}

CATEGORIES = [
    *("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe"),
    *("Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cn"),
]
WHITE_SPACE = {
    *range(9, 14),
    *(0x20, 0x85, 0xA0, 0x1680),
    *range(0x2000, 0x200B),
    *(0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
}


def members(pattern: str, *, ignore_case: bool = False) -> set[int]:
    ranges, end = parse_class(pattern.encode(), 0, ignore_case)
    assert len(pattern.encode()) == end
    return {c for first, last in ranges for c in range(first, last + 1)}


@cache
def all_characters() -> str:
    return "".join(map(chr, SCALARS))


def members_by_tiktoken(pattern: str) -> set[int]:
    encoding = tiktoken.Encoding("class", pat_str=pattern, mergeable_ranks=BYTES, special_tokens={})
    return set(map(ord, bytes(encoding.encode_ordinary(all_characters())).decode()))


@cache
def categories() -> dict[str, set[int]]:
    found: dict[str, set[int]] = {name: set() for name in CATEGORIES}
    for c in SCALARS:
        found[unicodedata2.category(chr(c))].add(c)
    return found


def test_unicodedata2_is_of_the_version_of_the_tables() -> None:
    assert unicodedata2.unidata_version == "16.0.0"


@pytest.mark.parametrize("name", CATEGORIES)
def test_a_category_has_the_characters_that_unicodedata_gives_it(name: str) -> None:
    assert categories()[name] == members(rf"\p{{{name}}}")


@pytest.mark.parametrize("group", [*"LMNPSZC", "LC"])
def test_a_group_is_the_union_of_its_categories(group: str) -> None:
    parts = ["Lu", "Ll", "Lt"] if group == "LC" else [n for n in CATEGORIES if n[0] == group]
    assert set().union(*(categories()[name] for name in parts)) == members(rf"\p{{{group}}}")


def test_white_space_is_25_characters() -> None:
    assert len(WHITE_SPACE) == 25
    assert members(r"\s") == WHITE_SPACE
    assert members(r"\S") == set(SCALARS) - WHITE_SPACE


@pytest.mark.parametrize(
    "pattern",
    [
        r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"\h", r"\H", r".", r"\O",
        r"\p{Alphabetic}", r"\p{Lowercase}", r"\p{Uppercase}", r"\P{L}", r"\pN", r"\PN",
        r"\p{Emoji}", r"\p{Extended_Pictographic}", r"\p{Ideographic}", r"\p{ID_Start}",
        r"\p{XID_Continue}", r"\p{Any}", r"\p{ASCII}", r"\p{Assigned}", r"\p{Cs}",
        r"\p{alnum}", r"\P{graph}", r"\p{print}", r"\p{^blank}",
        r"\p{Han}", r"\p{sc=Han}", r"\p{scx=Han}", r"\p{Script:Latin}", r"\p{gc!=L}",
        r"\p{Greek}", r"\p{Cyrillic}", r"\p{Arabic}", r"\p{Hiragana}", r"\p{Thai}", r"\p{Zyyy}",
        r"\p{Inherited}", r"\p{scx=Zinh}", r"\p{Garay}",
        r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]", r"[^\r\n\p{L}\p{N}]",
        r"[\w--\p{ASCII}~~\p{L}]", r"[[:punct:]\P{graph}\P{print}]",
    ],
)  # fmt: skip
def test_a_class_has_the_characters_that_tiktoken_gives_it(pattern: str) -> None:
    assert members_by_tiktoken(pattern) == members(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"\p{Lu}", r"\P{Lu}", r"[^\p{Ll}]", "k", "s", "[^ſ]", "[ǆ-ǌ]", r"[\x{1C80}-\x{1C88}]"],
)
def test_case_folds_as_in_tiktoken(pattern: str) -> None:
    assert members_by_tiktoken(f"(?i:{pattern})") == members(pattern, ignore_case=True)


@pytest.mark.parametrize("seed", range(6))
def test_any_half_of_the_letters_with_case_folds_as_in_tiktoken(seed: int) -> None:
    with_case = sorted(members(r"\p{Changes_When_Casemapped}") | members(r"\p{LC}"))
    half = random.Random(seed).sample(with_case, len(with_case) // 2)
    pattern = "[" + "".join(rf"\x{{{c:X}}}" for c in half) + "]"
    assert members_by_tiktoken(f"(?i:{pattern})") == members(pattern, ignore_case=True)


def test_the_tables_name_their_generator() -> None:
    first = (ROOT / "csrc" / "uchar_data.c").read_text().splitlines()[0]
    assert "tools/unicode_tables.py" in first
    assert "16.0.0" in first


def test_the_tables_are_what_the_generator_makes() -> None:
    packages = os.environ.get("CTOK_UNICODE_PACKAGES")
    if packages is None:
        pytest.skip("CTOK_UNICODE_PACKAGES names no folder with the npm archives")
    script = ROOT / "tools" / "unicode_tables.py"
    subprocess.run([sys.executable, script, "--check", "--packages", packages], check=True)

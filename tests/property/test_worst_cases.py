"""Inputs that make other tokenizers slow or crash: right ids, and time that grows with the
length and no faster."""

from __future__ import annotations

import random
import time

import pytest

import ctok
from ctok import Encoding
from oracles import tiktoken_encoding

rnd = random.Random(7)
WORST = {
    "one letter": "a",
    "blanks": " ",
    "equals signs": "=",
    "line ends": "\r\n",
    "random letters": "".join(rnd.choices("abcdefghijklmnopqrstuvwxyz", k=5000)),
    "base64": "".join(rnd.choices("ABCDEFGHijklmnop0123456789+/", k=5000)),
    "CJK without blanks": "".join(chr(rnd.randrange(0x4E00, 0x9FA5)) for _ in range(3000)),
    "combining marks": "a" + "\u0301" * 999,
    "apostrophes": "'",
    "digits": "1234567890",
    "alternating": "aA",
    "blanks and line ends": " \n",
    "runs of letters": "a" * 70 + "b",
    "runs of line ends": "\n" * 70 + "/",
    "long runs of blanks": "\r\n" + " " * 501,
    "long runs of signs": "-" * 150 + "=" * 150,
}

worst = pytest.mark.parametrize("unit", WORST.values(), ids=WORST.keys())
distinct = pytest.mark.parametrize("name", ["r50k_base", "cl100k_base", "o200k_base"])


def of_length(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


@distinct
@worst
def test_worst_cases_encode_as_with_tiktoken(name: str, unit: str) -> None:
    text = of_length(unit, 20_000)
    expected = tiktoken_encoding(name).encode_ordinary(text)
    assert expected == ctok.get_encoding(name).encode_ordinary(text)


def times_as_long(enc: Encoding, long: str, short: str) -> float:
    """Processor time of one text to that of another: the best of some, taken in turns, for others
    may use the machine too."""
    best = {long: float("inf"), short: float("inf")}
    for _ in range(20):
        for text in best:
            start = time.thread_time()
            enc.encode_ordinary_to_numpy(text)
            best[text] = min(best[text], time.thread_time() - start)
    return best[long] / best[short]


@distinct
@worst
def test_time_grows_with_the_length(name: str, unit: str) -> None:
    enc = ctok.get_encoding(name)
    # A quadratic step would show as 16: noise does not.
    assert times_as_long(enc, of_length(unit, 1_200_000), of_length(unit, 300_000)) < 9


@pytest.mark.parametrize(("letters", "n_ids"), [("a", 39_063), ("ab", 10_000_000)])
def test_one_piece_of_ten_megabytes_has_its_ids(letters: str, n_ids: int) -> None:
    # Ten million a's are 39062 times 256, and 128.
    ranks = {bytes([i]): i for i in range(256)} | {b"a" * 2**k: 255 + k for k in range(1, 9)}
    enc = Encoding("long", pat_str="(?s:.+)|.", mergeable_ranks=ranks, special_tokens={})
    text = of_length(letters, 10_000_000)
    ids = enc.encode_ordinary_to_numpy(text)
    assert n_ids == len(ids)
    assert text.encode() == enc.decode_bytes(ids)


@pytest.mark.parametrize("improper", [False, True])
def test_time_grows_with_the_length_for_improper_vocabularies_too(improper: bool) -> None:
    ranks = {bytes([i]): i + 1000 for i in range(256)}
    tokens = [b"abab", b"ab", b"ba", b"aba", b"bab"] if improper else [b"ab", b"abab", b"ababab"]
    ranks |= {token: i for i, token in enumerate(tokens)}
    enc = Encoding("v", pat_str=".+", mergeable_ranks=ranks, special_tokens={})
    assert times_as_long(enc, "ab" * 600_000, "ab" * 150_000) < 9

"""The int objects in lists of ids: ready-made ones are ints like any other."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys

import pytest

import ctok
from ctok import Encoding


@pytest.fixture(scope="module")
def enc() -> Encoding:
    return ctok.get_encoding("gpt2")


def test_every_ready_made_int_is_that_int(enc: Encoding) -> None:
    found: set[int] = set()
    for token in enc.token_byte_values():
        try:
            found.update(enc.encode(token.decode(), disallowed_special=()))
        except UnicodeDecodeError:
            continue
    assert len(found) > 40_000
    for made in found:
        own = int(str(made))
        assert type(made) is int
        assert (own, hash(own), str(own), own.bit_length()) == (
            made,
            hash(made),
            str(made),
            made.bit_length(),
        )
        assert (own + 1, -own, own << 40, own // 7) == (made + 1, -made, made << 40, made // 7)


def test_lists_are_arrays_while_ints_are_made() -> None:
    """A process of its own makes them: page by page at first, then all the rest at once."""
    code = """
import ctok
enc = ctok.get_encoding("gpt2")
texts = [token.decode(errors="ignore") for token in enc.token_byte_values()]
for step in (1000, 100, 1):
    for text in texts[::step]:
        assert enc.encode_ordinary_to_numpy(text).tolist() == enc.encode_ordinary(text), text
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_zero_is_false_and_one_is_true() -> None:
    ranks = {bytes([i]): i for i in range(256)}
    small = Encoding("bytes", pat_str="(?s:.)", mergeable_ranks=ranks, special_tokens={})
    zero, one = small.encode("\0\1")
    assert (False, True, "0", 0.5) == (bool(zero), bool(one), f"{zero:d}", one / 2)
    assert (0, 1) == pickle.loads(pickle.dumps((zero, one)))


@pytest.mark.skipif(
    sys.version_info >= (3, 12) or sys.maxsize < 2**32,
    reason="ready-made ints are immortal, or there are none",
)
def test_lists_take_references_that_nobody_can_use_up(enc: Encoding) -> None:
    text = " hello" * 1000
    (number,) = set(enc.encode(text))
    before = sys.getrefcount(number)
    assert before > 2**61
    ids = enc.encode(text)
    assert before == sys.getrefcount(number)
    copy = list(ids)  # Python counts its own
    assert before + 1000 == sys.getrefcount(number)
    del ids, copy
    assert before - 1000 == sys.getrefcount(number)


def test_ints_outlive_their_encoding() -> None:
    ranks = {bytes([i]): i + 70_000 for i in range(256)}
    small = Encoding("late", pat_str="(?s:.)", mergeable_ranks=ranks, special_tokens={})
    ids = small.encode("abc")
    del small
    gc.collect()
    assert [70_097, 70_098, 70_099] == ids


def test_ids_too_large_for_ready_made_ints_are_ints_as_well() -> None:
    ranks = {bytes([i]): i + (1 << 20) - 100 for i in range(256)}
    small = Encoding(
        "large", pat_str="(?s:.)", mergeable_ranks=ranks, special_tokens={"<s>": 2**31}
    )
    ids = small.encode("abc<s>", allowed_special="all")
    assert [1_048_573, 1_048_574, 1_048_575, 2**31] == ids
    assert "abc<s>" == small.decode(ids)

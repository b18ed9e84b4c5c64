"""Where tiktoken raises, ctok raises something that the same ``except`` catches; where tiktoken
raises outside of Exception, ctok raises an error of its own or has the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tiktoken

import ctok
from ctok.errors import CtokError
from oracles import tiktoken_encoding

NAME = "cl100k_base"

Call = Callable[[Any], object]
CALLS: dict[str, Call] = {
    "encode bytes": lambda enc: enc.encode(b"text"),
    "encode None": lambda enc: enc.encode(None),
    "encode int": lambda enc: enc.encode(7),
    "encode list": lambda enc: enc.encode(["text"]),
    "encode nothing": lambda enc: enc.encode(),
    "encode positional": lambda enc: enc.encode("text", "all"),
    "encode unknown keyword": lambda enc: enc.encode("text", allow="all"),
    "encode special": lambda enc: enc.encode("<|endoftext|>"),
    "encode_ordinary bytes": lambda enc: enc.encode_ordinary(b"text"),
    "encode_ordinary None": lambda enc: enc.encode_ordinary(None),
    "encode_to_numpy bytes": lambda enc: enc.encode_to_numpy(b"text"),
    "encode_to_numpy special": lambda enc: enc.encode_to_numpy("<|endoftext|>"),
    "encode_batch None": lambda enc: enc.encode_batch(None),
    "encode_batch of bytes": lambda enc: enc.encode_batch([b"text"]),
    "encode_batch of None": lambda enc: enc.encode_batch(["text", None]),
    "encode_batch special": lambda enc: enc.encode_batch(["text", "<|endoftext|>"]),
    "encode_ordinary_batch of int": lambda enc: enc.encode_ordinary_batch([7]),
    "encode_with_unstable special": lambda enc: enc.encode_with_unstable("<|endoftext|>"),
    "encode_single_token miss": lambda enc: enc.encode_single_token("no such token"),
    "encode_single_token empty": lambda enc: enc.encode_single_token(""),
    "encode_single_token bytes miss": lambda enc: enc.encode_single_token(b"\xff\xff\xff"),
    "encode_single_token None": lambda enc: enc.encode_single_token(None),
    "encode_single_token int": lambda enc: enc.encode_single_token(7),
    "decode unknown id": lambda enc: enc.decode([200_000]),
    "decode hole": lambda enc: enc.decode([100_256]),
    "decode negative": lambda enc: enc.decode([-1]),
    "decode 2**32": lambda enc: enc.decode([2**32]),
    "decode 2**64": lambda enc: enc.decode([2**64]),
    "decode float": lambda enc: enc.decode([1.0]),
    "decode str in list": lambda enc: enc.decode(["a"]),
    "decode None in list": lambda enc: enc.decode([None]),
    "decode int": lambda enc: enc.decode(7),
    "decode None": lambda enc: enc.decode(None),
    "decode str": lambda enc: enc.decode("text"),
    "decode nested": lambda enc: enc.decode([[1]]),
    "decode float array": lambda enc: enc.decode(np.array([1.0])),
    "decode two-dimensional": lambda enc: enc.decode(np.array([[1, 2], [3, 4]])),
    "decode negative array": lambda enc: enc.decode(np.array([-1])),
    "decode strict": lambda enc: enc.decode([255, 254], errors="strict"),
    "decode bad handler": lambda enc: enc.decode([255, 254], errors="nonsense"),
    "decode_bytes unknown id": lambda enc: enc.decode_bytes([200_000]),
    "decode_bytes float": lambda enc: enc.decode_bytes([1.5]),
    "decode_single unknown id": lambda enc: enc.decode_single_token_bytes(200_000),
    "decode_single negative": lambda enc: enc.decode_single_token_bytes(-1),
    "decode_single str": lambda enc: enc.decode_single_token_bytes("a"),
    "decode_single float": lambda enc: enc.decode_single_token_bytes(1.0),
    "decode_tokens_bytes unknown": lambda enc: enc.decode_tokens_bytes([200_000]),
    "decode_tokens_bytes None": lambda enc: enc.decode_tokens_bytes(None),
    "decode_with_offsets broken": lambda enc: enc.decode_with_offsets([255]),
    "decode_with_offsets unknown": lambda enc: enc.decode_with_offsets([200_000]),
    "decode_batch unknown": lambda enc: enc.decode_batch([[1], [200_000]]),
    "decode_batch None": lambda enc: enc.decode_batch(None),
    "decode_bytes_batch unknown": lambda enc: enc.decode_bytes_batch([[200_000]]),
    "is_special_token str": lambda enc: enc.is_special_token("a"),
    "is_special_token None": lambda enc: enc.is_special_token(None),
    "is_special_token float": lambda enc: enc.is_special_token(1.0),
    "_encode_single_piece int": lambda enc: enc._encode_single_piece(3),
    "_encode_single_piece bytearray": lambda enc: enc._encode_single_piece(bytearray(b"a")),
    "_encode_bytes str": lambda enc: enc._encode_bytes("a"),
    "_encode_bytes int": lambda enc: enc._encode_bytes(3),
    "no such attribute": lambda enc: enc.no_such_attribute,
}


def raised(call: Call, enc: object) -> BaseException | None:
    try:
        call(enc)
    except BaseException as error:  # what tiktoken's Rust panics are
        return error
    return None


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_what_catches_tiktokens_error_catches_ours(call: Call) -> None:
    theirs = raised(call, tiktoken_encoding(NAME))
    ours = raised(call, ctok.get_encoding(NAME))
    assert isinstance(ours, Exception) or ours is None
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), repr(ours)
    elif theirs is None:
        assert ours is None, repr(ours)
    else:
        assert isinstance(ours, CtokError) or ours is None, repr(ours)


BYTES = {bytes([i]): i for i in range(256)}
SAME_TYPE: dict[str, dict[str, Any]] = {
    "malformed pattern": {"pat_str": "("},
    "unknown class": {"pat_str": r"\p{Nope}"},
    "n_vocab too small": {"explicit_n_vocab": 255},
    "n_vocab too large": {"explicit_n_vocab": 257},
    "empty ranks": {"mergeable_ranks": {}},
}
# tiktoken's errors for these come out of its Rust by chance; ours name the argument.
OWN_TYPE: dict[str, dict[str, Any]] = {
    "str in ranks": {"mergeable_ranks": {"a": 0}},
    "negative rank": {"mergeable_ranks": BYTES | {b"ab": -1}},
    "huge rank": {"mergeable_ranks": BYTES | {b"ab": 2**32}},
    "float rank": {"mergeable_ranks": BYTES | {b"ab": 1.5}},
    "duplicate rank": {"mergeable_ranks": BYTES | {b"ab": 0}},
    "ranks None": {"mergeable_ranks": None},
    "ranks list": {"mergeable_ranks": [(b"a", 0)]},
    "bytes in specials": {"special_tokens": {b"x": 300}},
    "negative special": {"special_tokens": {"x": -1}},
    "huge special": {"special_tokens": {"x": 2**32}},
    "specials None": {"special_tokens": None},
    "specials list": {"special_tokens": [("x", 300)]},
    "pattern bytes": {"pat_str": b"a"},
    "pattern None": {"pat_str": None},
}


def construct(wrong: dict[str, Any]) -> tuple[BaseException | None, BaseException | None]:
    definition = {"pat_str": ".", "mergeable_ranks": BYTES, "special_tokens": {}} | wrong
    theirs = raised(lambda _: tiktoken.Encoding("x", **definition), None)
    ours = raised(lambda _: ctok.Encoding("x", **definition), None)
    assert theirs is not None
    assert isinstance(ours, CtokError)
    return theirs, ours


@pytest.mark.parametrize("wrong", SAME_TYPE.values(), ids=SAME_TYPE.keys())
def test_error_of_construction_is_caught_as_tiktokens(wrong: dict[str, Any]) -> None:
    theirs, ours = construct(wrong)
    assert isinstance(ours, type(theirs))


@pytest.mark.parametrize("wrong", OWN_TYPE.values(), ids=OWN_TYPE.keys())
def test_error_of_construction_is_a_value_error(wrong: dict[str, Any]) -> None:
    _, ours = construct(wrong)
    assert isinstance(ours, ValueError)


def test_text_that_exhausts_tiktokens_stack_has_its_ids() -> None:
    # tiktoken 0.14 panics on this; ours is checked by what it must decode to.
    enc = ctok.get_encoding("o200k_base")
    text = " " * 1_300_000
    assert text == enc.decode(enc.encode_ordinary(text))


def test_byte_without_rank_is_an_exception_where_tiktoken_panics() -> None:
    definition = {"pat_str": ".", "mergeable_ranks": {b"a": 0}, "special_tokens": {}}
    theirs = raised(lambda enc: enc.encode("b"), tiktoken.Encoding("x", **definition))  # type: ignore[arg-type]
    ours = raised(lambda enc: enc.encode("b"), ctok.Encoding("x", **definition))  # type: ignore[arg-type]
    assert not isinstance(theirs, Exception)
    assert isinstance(ours, CtokError)

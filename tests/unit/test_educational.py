"""The readable implementation: equal to tiktoken's, and to the real one."""

from __future__ import annotations

import contextlib
import io

import pytest
import tiktoken._educational as oracle
from hypothesis import given
from hypothesis import strategies as st

import ctok
from ctok import _educational as ours
from ctok.errors import MissingRankError, UnknownTokenIdError, ValidationError

TEXT = (
    """The quick brown fox jumps over the lazy dog. The dog sleeps; the fox does not.
Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. 你好世界 你好
"""
    + "aaaa aaa aa a " * 5
)


def quiet(call: object, *args: object, **options: object) -> object:
    with contextlib.redirect_stdout(io.StringIO()):
        return call(*args, **options)  # type: ignore[operator]


def printed(call: object, *args: object, **options: object) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        call(*args, **options)  # type: ignore[operator]
    return out.getvalue()


@pytest.fixture(scope="module")
def trained() -> tuple[ours.SimpleBytePairEncoding, oracle.SimpleBytePairEncoding]:
    options = {"vocab_size": 330, "pat_str": ours.GPT2_PATTERN}
    return (
        ours.SimpleBytePairEncoding.train(TEXT, **options, visualise=None),
        quiet(oracle.SimpleBytePairEncoding.train, TEXT, **options),
    )  # type: ignore[return-value]


def test_training_learns_what_tiktoken_learns(
    trained: tuple[ours.SimpleBytePairEncoding, oracle.SimpleBytePairEncoding],
) -> None:
    assert trained[1].mergeable_ranks == trained[0].mergeable_ranks
    assert 330 == len(trained[0].mergeable_ranks)


@given(st.text(alphabet="abc ", max_size=60))
def test_ties_in_training_fall_like_tiktokens(text: str) -> None:
    pattern = r"\w+|\s+"
    n_pairs = 258
    try:
        expected = oracle.bpe_train(text, n_pairs, pattern, visualise=None)
    except ValueError:  # max() of nothing
        with pytest.raises(ValidationError, match="used up"):
            ours.bpe_train(text, n_pairs, pattern, visualise=None)
    else:
        assert expected == ours.bpe_train(text, n_pairs, pattern, visualise=None)


@given(text=st.text(max_size=40))
def test_encode_and_decode_are_tiktokens(
    trained: tuple[ours.SimpleBytePairEncoding, oracle.SimpleBytePairEncoding], text: str
) -> None:
    mine, theirs = trained
    ids = mine.encode(text, visualise=None)
    assert theirs.encode(text, visualise=None) == ids
    assert theirs.decode_tokens_bytes(ids) == mine.decode_tokens_bytes(ids)
    assert text == mine.decode(ids)
    assert text.encode() == mine.decode_bytes(ids)


@pytest.mark.parametrize("name", ["gpt2", "cl100k_base"])
def test_simple_form_of_a_real_encoding_equals_it(name: str) -> None:
    enc = ctok.get_encoding(name)
    simple = ours.SimpleBytePairEncoding.from_tiktoken(name)
    assert enc.encode(TEXT) == simple.encode(TEXT, visualise=None)
    assert enc.encode("hi") == ours.SimpleBytePairEncoding.from_tiktoken(enc).encode(
        "hi", visualise=None
    )


@pytest.mark.parametrize("visualise", ["colour", "color", "simple", None])
def test_encode_prints_what_tiktoken_prints(
    trained: tuple[ours.SimpleBytePairEncoding, oracle.SimpleBytePairEncoding],
    visualise: str | None,
) -> None:
    mine, theirs = trained
    assert printed(theirs.encode, TEXT[:60], visualise=visualise) == printed(
        mine.encode, TEXT[:60], visualise=visualise
    )


@given(st.lists(st.binary(max_size=9), max_size=12))
def test_tokens_are_coloured_as_by_tiktoken(tokens: list[bytes]) -> None:
    assert printed(oracle.visualise_tokens, tokens) == printed(ours.visualise_tokens, tokens)


def test_training_shows_its_progress() -> None:
    options = {"vocab_size": 258, "pat_str": r"\w+|\s+"}
    simple = printed(ours.bpe_train, "low lower lowest", **options, visualise="simple")
    assert "token 257: b'l' + b'o'" in simple
    assert "[b'low', b'e', b'r']" in simple
    assert "\x1b[48;5;167mlow" in printed(ours.bpe_train, "low lower lowest", **options)


def test_errors_are_typed() -> None:
    enc = ours.SimpleBytePairEncoding(pat_str=".+", mergeable_ranks={b"a": 0})
    with pytest.raises(MissingRankError, match="b'z'") as missing:
        enc.encode("az", visualise=None)
    assert isinstance(missing.value, KeyError)
    with pytest.raises(UnknownTokenIdError, match="7"):
        enc.decode([0, 7])
    with pytest.raises(ValidationError, match="256"):
        ours.bpe_train("abc", 255, ".")


def test_demonstration_runs() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        enc = ours.train_simple_encoding()
    assert "hello world" == enc.decode(enc.encode("hello world", visualise=None))
    assert "hello world" in out.getvalue()

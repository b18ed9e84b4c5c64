"""Merging equals its definition, whatever the vocabulary and however long the piece."""

from __future__ import annotations

from typing import Any

import pytest
import tiktoken
from hypothesis import example, given
from hypothesis import strategies as st

import reference
from ctok import Encoding
from ctok.errors import InvalidRanksError, MissingRankError
from strategies import Vocabulary, examples, grown_vocabularies, texts, vocabularies

ONE_PIECE = r"(?s:.+)|\s"


def core(vocabulary: Vocabulary, pattern: str = ".+") -> Encoding:
    return Encoding("v", pat_str=pattern, mergeable_ranks=vocabulary.ranks, special_tokens={})


def check(vocabulary: Vocabulary) -> None:
    slow = reference.Tokenizer(".+", vocabulary.ranks).encode(vocabulary.text)
    assert slow.ids == core(vocabulary).encode(vocabulary.text)


@examples(300)
@given(vocabularies())
def test_any_vocabulary_encodes_by_the_definition(vocabulary: Vocabulary) -> None:
    check(vocabulary)


@examples(300)
@given(grown_vocabularies())
def test_grown_vocabulary_encodes_by_the_definition(vocabulary: Vocabulary) -> None:
    check(vocabulary)


@examples(60)
@given(grown_vocabularies(min_len=600, max_len=3000) | vocabularies(min_len=600, max_len=3000))
def test_long_pieces_encode_as_tiktoken_does(vocabulary: Vocabulary) -> None:
    theirs = tiktoken.Encoding(
        "v", pat_str=".+", mergeable_ranks=vocabulary.ranks, special_tokens={}
    )
    assert theirs.encode(vocabulary.text) == core(vocabulary).encode(vocabulary.text)


@examples(8)
@given(grown_vocabularies(min_len=600) | vocabularies(min_len=600))
def test_every_length_to_600_encodes_by_the_definition(vocabulary: Vocabulary) -> None:
    enc, slow = core(vocabulary), reference.Tokenizer(".+", vocabulary.ranks)
    for length in range(1, 601):
        text = vocabulary.text[:length]
        assert slow.encode(text).ids == enc.encode(text)


@examples(200)
@given(vocabularies(max_len=120, complete=False))
def test_missing_rank_is_an_error_exactly_where_the_definition_says(
    vocabulary: Vocabulary,
) -> None:
    enc = core(vocabulary)
    try:
        expected = reference.Tokenizer(".+", vocabulary.ranks).encode(vocabulary.text).ids
    except reference.MissingRank as missing:
        with pytest.raises(MissingRankError) as caught:
            enc.encode(vocabulary.text)
        assert missing.args[0] == caught.value.piece
    else:
        assert expected == enc.encode(vocabulary.text)


@examples(100)
@given(vocabularies(max_len=1), texts())
def test_round_trip_with_any_vocabulary_of_all_bytes(vocabulary: Vocabulary, text: str) -> None:
    enc = core(vocabulary, ONE_PIECE)
    assert reference.repair(text) == enc.decode(enc.encode(text), errors="strict")


@examples(100)
@given(vocabularies(max_len=200), st.integers(0, 3))
def test_merges_told_by_explain_are_those_of_the_definition(
    vocabulary: Vocabulary, start: int
) -> None:
    enc = core(vocabulary)
    piece = vocabulary.text.encode()[start : start + 40]
    expected = [vocabulary.ranks[part] for part in reference.encode_piece(vocabulary.ranks, piece)]
    assert expected == enc._encode_single_piece(piece)


@examples(100)
@given(grown_vocabularies(max_len=300))
@example(Vocabulary({bytes([i]): i for i in range(256)} | {b"aa": 256, b"aaa": 257}, "a" * 300))
def test_cached_pieces_encode_as_fresh_ones(vocabulary: Vocabulary) -> None:
    enc = core(vocabulary, r"[ab]+|c|.")
    first = enc.encode(vocabulary.text)
    assert first == enc.encode(vocabulary.text)
    enc.cache_clear()
    assert first == enc.encode(vocabulary.text)
    slow = reference.Tokenizer(r"[ab]+|c|.", vocabulary.ranks)
    assert slow.encode(vocabulary.text).ids == first


def both(ranks: dict[bytes, int], pattern: str, specials: dict[str, int]) -> list[Any]:
    return [
        make("v", pat_str=pattern, mergeable_ranks=ranks, special_tokens=specials)
        for make in (tiktoken.Encoding, Encoding)
    ]


ANY: dict[str, Any] = {"disallowed_special": ()}


def is_prefixed(special: str, specials: list[str]) -> bool:
    """Whether tiktoken leaves open which of two specials is found at a place."""
    return any(a != special and (a.startswith(special) or special.startswith(a)) for a in specials)


_BLANK = "ab \n\té漢\u00a0"


@examples(150)
@given(
    st.lists(st.text(_BLANK, min_size=2, max_size=4).map(str.encode), max_size=40, unique=True),
    st.lists(st.binary(min_size=2, max_size=5), max_size=5, unique=True),
    st.lists(st.text(_BLANK, min_size=1, max_size=3), max_size=3, unique=True),
    st.sampled_from((r"\w+|\s+|[^\s\w]+", r"[ab]+|\s*\n|\s+(?!\S)|\s+|[^ab\s]+", "a+|b+|(?s:.)")),
    st.lists(st.text(_BLANK, max_size=8), max_size=10),
)
def test_unstable_ids_are_tiktokens_with_any_vocabulary_and_specials(
    words: list[bytes], others: list[bytes], specials: list[str], pattern: str, tried: list[str]
) -> None:
    """Among the tokens are some that no merge makes, among the specials blanks, and such that
    overlap."""
    tokens = [*(bytes([byte]) for byte in range(256)), *dict.fromkeys(words + others)]
    ranks = {token: rank for rank, token in enumerate(tokens)}
    theirs, ours = both(ranks, pattern, {text: len(ranks) + i for i, text in enumerate(specials)})
    for text in tried:
        allowed = {special for special in specials if not is_prefixed(special, specials)}
        stable, completions = theirs.encode_with_unstable(text, allowed_special=allowed, **ANY)
        found = ours.encode_with_unstable(text, allowed_special=allowed, **ANY)
        assert (stable, sorted(completions)) == (found[0], sorted(found[1]))
        cut = text.encode() + b"\xe6"
        assert theirs._encode_bytes(cut) == ours._encode_bytes(cut)


def test_the_empty_token_has_an_id_and_no_pattern_that_could_ask_for_it() -> None:
    ranks = {bytes([byte]): byte for byte in range(256)} | {b"": 256}
    for enc in both(ranks, "a+|.", {}):
        assert 256 == enc.encode_single_token(b"") == enc._encode_single_piece("")[0]
        assert [97, 97, 98] == enc.encode("aab")
        assert b"a" == enc.decode_bytes([256, 97])
    for pattern in ("a*|.", "", "a||b", "(?=a)", "(a|b?)x?", r"\b", "(?>a*)", "$", "a{0,2}"):
        with pytest.raises(InvalidRanksError, match="b'' is a token"):
            Encoding("v", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})

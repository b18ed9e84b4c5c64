"""Laws of every encoding that ships, on adversarial text."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ctok
import reference
from oracles import OPENAI, reference_encoding, tiktoken_encoding
from strategies import NASTY, SPECIALS, clean_texts, examples, texts

# Encodings with the same pattern and ranks differ in specials only: two of them on most texts.
DISTINCT = ("r50k_base", "p50k_base", "cl100k_base", "o200k_base")

everywhere = pytest.mark.parametrize("name", OPENAI)
distinct = pytest.mark.parametrize("name", DISTINCT)
sixty = examples(60)


@everywhere
@sixty
@given(text=texts())
def test_ids_equal_the_reference_and_tiktoken(name: str, text: str) -> None:
    ids = ctok.get_encoding(name).encode_ordinary(text)
    assert reference_encoding(name).encode(text).ids == ids
    assert tiktoken_encoding(name).encode_ordinary(text) == ids


@distinct
@sixty
@given(text=texts())
def test_pieces_equal_the_reference(name: str, text: str) -> None:
    enc = ctok.get_encoding(name)
    mended = reference.repair(text)
    pieces = [mended[start:end] for start, end in reference.split(enc._pat_str, mended)]
    assert pieces == enc.pieces(text)


@everywhere
@sixty
@given(text=texts(), allowed=st.sets(st.sampled_from(SPECIALS)))
def test_ids_with_specials_equal_the_reference(name: str, text: str, allowed: set[str]) -> None:
    ids = ctok.get_encoding(name).encode(text, allowed_special=allowed, disallowed_special=())
    assert reference_encoding(name).encode(text, allowed).ids == ids


@distinct
@sixty
@given(text=clean_texts())
@example(text="\0")
def test_decode_gives_the_text_back(name: str, text: str) -> None:
    enc = ctok.get_encoding(name)
    assert text == enc.decode(enc.encode_ordinary(text), errors="strict")
    assert text.encode() == enc.decode_bytes(enc.encode_ordinary(text))


@distinct
@sixty
@given(text=texts())
def test_every_way_to_encode_gives_the_same_ids(name: str, text: str) -> None:
    enc = ctok.get_encoding(name)
    ids = enc.encode(text, disallowed_special=())
    assert ids == enc.encode_ordinary(text)
    assert ids == enc.encode_to_numpy(text, disallowed_special=()).tolist()
    assert ids == enc.encode_ordinary_to_numpy(text).tolist()
    assert ids == enc.encode_with_offsets(text, disallowed_special=()).ids
    assert ids == [i for piece in enc.pieces(text) for i in enc._encode_single_piece(piece)]
    assert len(ids) == enc.count(text)


@distinct
@sixty
@given(text=texts(), allowed=st.sets(st.sampled_from(SPECIALS)))
def test_count_equals_length_of_encode(name: str, text: str, allowed: set[str]) -> None:
    enc = ctok.get_encoding(name)
    ids = enc.encode(text, allowed_special=allowed, disallowed_special=())
    assert len(ids) == enc.count(text, allowed_special=allowed)


@distinct
@examples(30)
@given(batch=st.lists(texts(4), max_size=6), threads=st.integers(1, 3))
def test_batch_equals_encoding_one_by_one(name: str, batch: list[str], threads: int) -> None:
    enc = ctok.get_encoding(name)
    one_by_one = [enc.encode_ordinary(text) for text in batch]
    assert one_by_one == enc.encode_ordinary_batch(batch, num_threads=threads)
    assert one_by_one == enc.encode_batch(batch, num_threads=threads, disallowed_special=())
    ids, offsets = enc.encode_batch_to_numpy(batch, num_threads=threads, disallowed_special=())
    assert [0] + [sum(map(len, one_by_one[: i + 1])) for i in range(len(batch))] == list(offsets)
    assert [i for ids in one_by_one for i in ids] == ids.tolist()
    assert ("uint32", "int64") == (ids.dtype, offsets.dtype)
    assert [reference.repair(text) for text in batch] == enc.decode_batch(one_by_one)


@distinct
@sixty
@given(text=texts(), allowed=st.sets(st.sampled_from(SPECIALS)))
def test_offsets_equal_the_reference(name: str, text: str, allowed: set[str]) -> None:
    slow = reference_encoding(name).encode(text, allowed)
    offsets = ctok.get_encoding(name).encode_with_offsets(
        text, allowed_special=allowed, disallowed_special=()
    )
    assert slow == tuple(offsets)


@distinct
@sixty
@given(text=clean_texts())
def test_offsets_cover_the_text_without_gap(name: str, text: str) -> None:
    offsets = ctok.get_encoding(name).encode_with_offsets(text, disallowed_special=())
    utf8 = text.encode()
    starts = [start for start, _ in offsets.byte_offsets]
    ends = [end for _, end in offsets.byte_offsets]
    assert [0, *ends] == [*starts, len(utf8)]
    for (first, last), (start, end) in zip(offsets.byte_offsets, offsets.char_offsets, strict=True):
        assert utf8[first:last] in text[start:end].encode()


@distinct
@sixty
@given(text=texts())
def test_stream_joined_is_decode(name: str, text: str) -> None:
    enc = ctok.get_encoding(name)
    ids = enc.encode_ordinary(text)
    stream = enc.decode_stream()
    assert enc.decode(ids) == "".join([*map(stream.push, ids), stream.flush()])


@distinct
@sixty
@given(ids=st.lists(st.integers(0, 50255), max_size=40))
def test_stream_joined_is_decode_for_ids_that_are_no_text(name: str, ids: list[int]) -> None:
    enc = ctok.get_encoding(name)
    for errors in ("replace", "ignore"):
        stream = enc.decode_stream(errors)
        assert enc.decode(ids, errors) == "".join([*map(stream.push, ids), stream.flush()])
    assert tiktoken_encoding(name).decode(ids) == enc.decode(ids)


@distinct
@sixty
@given(text=clean_texts(6))
def test_decode_with_offsets_equals_tiktoken(name: str, text: str) -> None:
    ids = tiktoken_encoding(name).encode_ordinary(text)
    expected = tiktoken_encoding(name).decode_with_offsets(ids)
    assert expected == ctok.get_encoding(name).decode_with_offsets(ids)


@distinct
def test_thousand_random_strings_equal_tiktoken(name: str) -> None:
    rnd = random.Random(2024)
    letters = [chr(i) for i in range(32, 127)] + ["\n", "\t", " ", " "]
    cjk = [chr(rnd.randrange(0x4E00, 0x9FFF)) for _ in range(60)]
    parts = letters * 4 + cjk + [*NASTY, "😀", "👩‍👩‍👧", "🇩🇪", *SPECIALS, "<|endof", "text|>"]
    enc, theirs = ctok.get_encoding(name), tiktoken_encoding(name)
    for _ in range(1000):
        text = "".join(rnd.choices(parts, k=rnd.randrange(257)))
        assert theirs.encode_ordinary(text) == enc.encode_ordinary(text)
        ids = enc.encode(text, allowed_special="all")
        assert theirs.encode(text, allowed_special="all") == ids
        assert reference.repair(text) == enc.decode(ids)

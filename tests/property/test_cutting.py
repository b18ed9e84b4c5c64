"""fits, truncate and split_by_tokens: what they promise, on adversarial text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ctok
from ctok import Encoding
from ctok.errors import ValidationError
from strategies import Vocabulary, examples, texts, vocabularies

distinct = pytest.mark.parametrize("name", ["r50k_base", "cl100k_base", "o200k_base"])
sixty = examples(60)
limits = st.integers(0, 30)


@distinct
@sixty
@given(text=texts(), limit=st.integers(0, 60))
def test_text_fits_when_its_count_does(name: str, text: str, limit: int) -> None:
    enc = ctok.get_encoding(name)
    assert (enc.count(text) <= limit) == enc.fits(text, limit)


def check_truncated(enc: Encoding, text: str, limit: int) -> None:
    """A beginning of the text, of at most so many ids; the whole text where that fits."""
    cut, n_tokens, truncated = enc.truncate(text, limit)
    assert text[: len(cut)] == cut
    assert enc.count(cut) == n_tokens <= limit
    assert (cut != text) == truncated
    if enc.count(text) <= limit:
        assert text == cut


@distinct
@sixty
@given(text=texts(), limit=limits)
def test_truncated_text_is_a_beginning_that_fits(name: str, text: str, limit: int) -> None:
    check_truncated(ctok.get_encoding(name), text, limit)


@sixty
@given(vocabulary=vocabularies(max_len=40), limit=limits)
def test_truncated_text_is_a_beginning_that_fits_with_any_vocabulary(
    vocabulary: Vocabulary, limit: int
) -> None:
    enc = Encoding("v", pat_str=".+", mergeable_ranks=vocabulary.ranks, special_tokens={})
    check_truncated(enc, vocabulary.text, limit)


@distinct
@sixty
@given(text=texts(), limit=limits)
def test_truncated_text_keeps_surrogate_pairs_whole(name: str, text: str, limit: int) -> None:
    cut = ctok.get_encoding(name).truncate(text, limit).text
    split_pair = "\ud800" <= cut[-1:] <= "\udbff" and "\udc00" <= text[len(cut) :][:1] <= "\udfff"
    assert not split_pair


@distinct
@sixty
@given(text=texts(), limit=limits)
def test_truncated_text_is_what_the_first_ids_say(name: str, text: str, limit: int) -> None:
    # Where the first ids, as text, still encode to that many, no more can be kept.
    enc = ctok.get_encoding(name)
    offsets = enc.encode_with_offsets(text, disallowed_special=())
    if not 0 < limit < len(offsets.ids):
        return
    end = offsets.char_offsets[limit - 1][1]
    whole_character = offsets.char_offsets[limit][0] >= end
    if whole_character and enc.count(text[:end]) <= limit:
        assert text[:end] == enc.truncate(text, limit).text


@distinct
@sixty
@given(text=texts(), limit=st.integers(8, 40))
def test_parts_joined_are_the_text_and_each_fits(name: str, text: str, limit: int) -> None:
    enc = ctok.get_encoding(name)
    parts = enc.split_by_tokens(text, limit)
    assert text == "".join(parts)
    assert all(parts)
    assert all(enc.count(part) <= limit for part in parts)


@distinct
@sixty
@given(text=texts(), limit=st.integers(8, 40), data=st.data())
def test_overlapping_parts_cover_the_text_in_order(
    name: str, text: str, limit: int, data: st.DataObject
) -> None:
    enc = ctok.get_encoding(name)
    overlap = data.draw(st.integers(0, limit - 1))
    parts = enc.split_by_tokens(text, limit, overlap=overlap)
    assert all(enc.count(part) <= limit for part in parts)
    # Where a part lies is not told, and repeated text has it in several places: keep all that
    # start behind the start of the one before, touch it, and end behind its end.
    spans = {(-1, 0)}
    for part in parts:
        spans = {
            (start, start + len(part))
            for before, end in spans
            for start in range(before + 1, end + 1)
            if start + len(part) > end and text.startswith(part, start)
        }
    assert any(end == len(text) for _, end in spans)


@distinct
@sixty
@given(text=texts(4), limit=st.integers(1, 3))
def test_parts_too_small_for_a_character_are_refused_not_wrong(
    name: str, text: str, limit: int
) -> None:
    enc = ctok.get_encoding(name)
    try:
        parts = enc.split_by_tokens(text, limit)
    except ValidationError as error:
        assert any(enc.count(char) > limit for char in text), error
    else:
        assert text == "".join(parts)

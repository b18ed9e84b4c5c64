"""fits, truncate and split_by_tokens: what they promise, on adversarial text."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ctok
from ctok import Encoding, _core
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


# ---- against the definition ---------------------------------------------------------------

# What patterns treat unlike what is beside it, and letters of more than one id.
UNITS = [
    *(
        "a",
        "S",
        "'s",
        "'",
        "the",
        " the",
        " ",
        "   ",
        "\t",
        "\n",
        "\r\n",
        "1",
        "23",
        "/",
        "!",
        "...",
    ),
    *("\u3000", "\u2019", "\u0301", "é", "ǅ", "א", "漢字", "、", "の", "٣", "²", "🥝", "ﷺ"),
]


def truncated(enc: Encoding, text: str, limit: int) -> tuple[str, int, bool]:
    """The definition: what the first ids stand for, unless that has more on its own."""
    utf8 = text.encode()
    ends = [end for _, end in enc.encode_with_offsets(text, disallowed_special=()).byte_offsets]
    if len(ends) <= limit:
        return text, len(ends), False
    for n in range(limit, 0, -1):
        cut = utf8[: ends[n - 1]].decode("utf-8", "ignore")
        if enc.count(cut) <= limit:
            return cut, enc.count(cut), True
    return "", 0, True


@functools.cache
def encoding_on(cpu: str, name: str) -> Encoding:
    known = ctok.get_encoding(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTOK_CPU", cpu)
        if cpu != _core.cpu():
            pytest.skip(f"this processor has no {cpu}")
        return Encoding(
            f"{name} {cpu}",
            pat_str=known._pat_str,
            mergeable_ranks=known._mergeable_ranks,
            special_tokens={},
        )


@distinct
@pytest.mark.parametrize("cpu", ["portable", "avx2", "avx512", "neon"])
@examples(25)
@given(parts=st.lists(st.sampled_from(UNITS), max_size=12))
def test_truncated_text_is_that_of_the_definition_at_every_number_of_ids(
    name: str, cpu: str, parts: list[str]
) -> None:
    enc = encoding_on(cpu, name)
    text = "".join(parts)
    for limit in range(enc.count(text) + 2):
        assert truncated(enc, text, limit) == enc.truncate(text, limit)


@distinct
@examples(25)
@given(
    parts=st.lists(st.sampled_from(UNITS), min_size=1, max_size=30),
    times=st.integers(1, 60),
    limit=st.integers(0, 400),
)
def test_truncated_long_text_is_that_of_the_definition(
    name: str, parts: list[str], times: int, limit: int
) -> None:
    enc = ctok.get_encoding(name)
    text = "".join(parts) * times
    assert truncated(enc, text, limit) == enc.truncate(text, limit)
    assert (enc.count(text) <= limit) == enc.fits(text, limit)


@sixty
@given(vocabulary=vocabularies(max_len=40), limit=limits)
def test_truncated_text_is_that_of_the_definition_with_any_vocabulary(
    vocabulary: Vocabulary, limit: int
) -> None:
    enc = Encoding("v", pat_str=r"\w+|\W", mergeable_ranks=vocabulary.ranks, special_tokens={})
    if not any("\ud800" <= char <= "\udfff" for char in vocabulary.text):
        assert truncated(enc, vocabulary.text, limit) == enc.truncate(vocabulary.text, limit)


def test_what_the_pattern_drops_at_the_end_costs_no_id() -> None:
    ranks = {bytes([i]): i for i in range(256)}
    enc = Encoding("words", pat_str=r"\w+", mergeable_ranks=ranks, special_tokens={})
    assert ("abc...", 3, False) == enc.truncate("abc...", 3)
    assert ("ab", 2, True) == enc.truncate("abc...", 2)
    assert ("...", 0, False) == enc.truncate("...", 0)
    assert enc.fits("abc...", 3)

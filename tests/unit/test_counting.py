"""count, fits, truncate, split_by_tokens, offsets and pieces, with values in sight."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

import ctok
from ctok import Encoding, patterns
from ctok.errors import MissingRankError, SplitError, ValidationError

BYTES = {bytes([i]): i for i in range(256)}


@pytest.fixture(scope="module")
def words() -> Encoding:
    """One id for each letter, blank and word of `the cat`; six bytes for an emoji."""
    ranks = BYTES | {b"th": 256, b"the": 257, b" c": 258, b" ca": 259, b" cat": 260}
    return Encoding(
        "words",
        pat_str=r" ?\w+|\s+|[^\w\s]+",
        mergeable_ranks=ranks,
        special_tokens={"<|end|>": 300},
    )


def test_count_is_the_number_of_ids(words: Encoding) -> None:
    assert 0 == words.count("")
    assert 2 == words.count("the cat")
    assert 4 == words.count("🙂")


def test_count_takes_specials_for_text_unless_told_otherwise(words: Encoding) -> None:
    assert 7 == words.count("<|end|>")
    assert 1 == words.count("<|end|>", allowed_special="all")
    with pytest.raises(ValueError, match="end"):
        words.count("<|end|>", disallowed_special="all")


def test_text_fits_up_to_its_count(words: Encoding) -> None:
    assert [False, False, True, True] == [words.fits("the cat", n) for n in (0, 1, 2, 3)]
    assert words.fits("", 0)
    assert not words.fits("", -1)


def test_truncate_returns_the_longest_beginning_and_its_count(words: Encoding) -> None:
    assert ("the", 1, True) == words.truncate("the cat", 1)
    assert ("the cat", 2, False) == words.truncate("the cat", 2)
    assert ("the cat", 2, False) == words.truncate("the cat", 100)
    assert ("", 0, True) == words.truncate("the cat", 0)
    assert ("", 0, False) == words.truncate("", 5)


def test_truncate_never_cuts_a_character(words: Encoding) -> None:
    for limit in (0, 1, 2, 3):
        assert ("", 0, True) == words.truncate("🙂", limit)
    assert ("🙂", 4, False) == words.truncate("🙂", 4)
    assert ("the", 1, True) == words.truncate("the🙂", 4)


def test_truncate_keeps_surrogates_of_the_text(words: Encoding) -> None:
    assert ("\ud83d\ude42", 4, True) == words.truncate("\ud83d\ude42x", 4)
    assert ("", 0, True) == words.truncate("\ud83d\ude42x", 3)
    assert ("a\ud83d", 4, True) == words.truncate("a\ud83d\ud83d", 4)


def test_negative_limit_is_refused(words: Encoding) -> None:
    with pytest.raises(ValidationError):
        words.truncate("the", -1)


def test_parts_joined_are_the_text(words: Encoding) -> None:
    assert ["the cat", " cat cat", " the"] == words.split_by_tokens("the cat cat cat the", 2)
    assert [] == words.split_by_tokens("", 2)


def test_parts_overlap_when_asked(words: Encoding) -> None:
    parts = words.split_by_tokens("the cat cat cat", 2, overlap=1)
    assert ["the cat", " cat cat", " cat cat"] == parts


def test_parts_of_one_id_are_possible(words: Encoding) -> None:
    assert ["the", " cat"] == words.split_by_tokens("the cat", 1)


@pytest.mark.parametrize(("limit", "overlap"), [(0, 0), (-1, 0), (2, 2), (2, 3), (2, -1)])
def test_parts_that_cannot_be_are_refused(words: Encoding, limit: int, overlap: int) -> None:
    with pytest.raises(ValidationError):
        words.split_by_tokens("the cat", limit, overlap=overlap)


def test_character_that_no_part_can_hold_is_named(words: Encoding) -> None:
    with pytest.raises(ValidationError, match=r"character 3 .*🙂"):
        words.split_by_tokens("the🙂", 3)


def test_offsets_are_bytes_and_characters(words: Encoding) -> None:
    offsets = words.encode_with_offsets("é cat")
    assert [0xC3, 0xA9, 260] == offsets.ids
    assert [(0, 1), (1, 2), (2, 6)] == offsets.byte_offsets
    assert [(0, 1), (0, 1), (1, 5)] == offsets.char_offsets


def test_offsets_of_specials_are_theirs(words: Encoding) -> None:
    offsets = words.encode_with_offsets("é<|end|>the", allowed_special="all")
    assert [0xC3, 0xA9, 300, 257] == offsets.ids
    assert [(1, 8), (8, 11)] == offsets.char_offsets[2:]


def test_offsets_have_a_gap_where_the_pattern_covers_nothing() -> None:
    enc = Encoding("gap", pat_str=r"\w", mergeable_ranks=BYTES, special_tokens={})
    offsets = enc.encode_with_offsets("a--é")
    assert [(0, 1), (3, 4), (4, 5)] == offsets.byte_offsets
    assert [(0, 1), (3, 4), (3, 4)] == offsets.char_offsets


def test_offsets_of_a_surrogate_pair_are_those_of_the_text(words: Encoding) -> None:
    offsets = words.encode_with_offsets("\ud83d\ude42x\ud83d")
    assert [(0, 2)] * 4 + [(2, 3)] + [(3, 4)] * 3 == offsets.char_offsets
    assert all(end == start for (_, end), (start, _) in pairwise(offsets.byte_offsets))


def test_pieces_are_what_the_pattern_makes_of_text(words: Encoding) -> None:
    assert ["the", " cat", "!?", "  "] == words.pieces("the cat!?  ")


def test_limits_may_be_numbers_of_any_kind(words: Encoding) -> None:
    text = "one two three four " * 50
    for kind in (np.uint8, np.int16, np.uint64):
        assert words.split_by_tokens(text, 9, overlap=2) == words.split_by_tokens(
            text, kind(9), overlap=kind(2)
        )
        assert words.truncate(text, 9) == words.truncate(text, kind(9))


def test_parts_without_ids_overlap_with_nothing() -> None:
    enc = Encoding("gaps", pat_str="a", mergeable_ranks={b"a": 0}, special_tokens={})
    assert ["a" + "." * 99] == enc.split_by_tokens("a" + "." * 99, 2, overlap=1)
    assert ["." * 99] == enc.split_by_tokens("." * 99, 2, overlap=1)


def test_ids_that_tokens_of_different_lengths_share_tell_no_places() -> None:
    ranks = BYTES | {b"ab": 300, b"cd": 300}
    enc = Encoding(
        "same", pat_str=".+", mergeable_ranks=ranks, special_tokens={}, allow_duplicate_ids=True
    )
    assert [(0, 2), (2, 4)] == enc.encode_with_offsets("abcd").char_offsets
    ranks |= {b"efg": 300, b"ef": 301}
    enc = Encoding(
        "other", pat_str=".+", mergeable_ranks=ranks, special_tokens={}, allow_duplicate_ids=True
    )
    assert ([300, 300], 2) == (enc.encode("abefg"), enc.count("abefg"))
    for call in (
        lambda: enc.encode_with_offsets("ab"),
        lambda: enc.truncate("abcd", 1),
        lambda: enc.fits("abcd", 1),
        lambda: enc.split_by_tokens("abcd", 1),
    ):
        with pytest.raises(ValidationError, match="share an id"):
            call()


def test_specials_that_share_an_id_keep_their_own_lengths() -> None:
    enc = ctok.get_encoding("o200k_harmony")
    text = "a<|reserved_200018|>b<|endofprompt|>"
    found = enc.encode_with_offsets(text, allowed_special="all")
    assert [64, 200018, 65, 200018] == found.ids
    assert [(0, 1), (1, 20), (20, 21), (21, 36)] == found.byte_offsets == found.char_offsets


def test_what_a_cut_leaves_need_not_be_encodable() -> None:
    ranks = {b"ab": 0, b"abc": 1, b"x": 2}
    enc = Encoding("pairs", pat_str=r"\w+", mergeable_ranks=ranks, special_tokens={})
    assert [0, 0, 2, 0] == enc.encode("ababxab")
    assert ("ababx", 3, True) == enc.truncate("ababxab", 3)
    assert enc.fits("ababxab", 4)
    assert ["ab", "ab", "x", "ab"] == enc.split_by_tokens("ababxab", 1)
    long = "ab" * 300
    assert [long[:16]] * 37 + [long[:8]] == enc.split_by_tokens(long, 8)
    with pytest.raises(MissingRankError) as caught:
        enc.split_by_tokens("ab" * 100 + "b" + "ab" * 100, 2)
    assert (b"b", 200) == (caught.value.piece, caught.value.offset)


def test_explaining_a_byte_without_rank_names_it() -> None:
    enc = Encoding("a", pat_str=".+", mergeable_ranks={b"a": 0}, special_tokens={})
    for piece in (b"\x80", b"a\x80", b"\xa9\xa9"):
        for call in (enc.explain, enc._encode_single_piece, enc._encode_bytes):
            with pytest.raises(MissingRankError):
                call(piece)


@pytest.mark.parametrize("limit", [0, 1, 10, 100, 1000, 5000, 30_000])
def test_long_texts_are_looked_at_as_far_as_it_takes(limit: int) -> None:
    """Their first characters promise more ids, or fewer, than there are."""
    enc = ctok.get_encoding("cl100k_base")
    parts = ("word and word, " * 900, "漢字仮名" * 900, "a" * 3000, "é ü ", "\n" * 900)
    for order in (parts, parts[::-1], parts[2:] + parts[:2]):
        text = "".join(order)
        cut, count = enc.truncate(text, limit), enc.count(text)
        assert (count <= limit) == enc.fits(text, limit) == (not cut.truncated)
        assert text.startswith(cut.text)
        assert enc.count(cut.text) == cut.n_tokens <= limit
        offsets = enc.encode_with_offsets(text).char_offsets
        assert limit == 0 or len(cut.text) >= offsets[min(limit, count) - 1][1] - 4


def test_an_error_says_where_in_a_long_text() -> None:
    pattern = r"[^\r\n\p{L}\p{N}]?\p{L}+|\s+"
    ranks = {b"a": 0, b" ": 1, b" a": 2}
    for pat_str in (pattern, patterns.get("qwen2").pattern):
        enc = Encoding("few", pat_str=pat_str, mergeable_ranks=ranks, special_tokens={})
        for call in (enc.truncate, enc.fits):
            with pytest.raises(MissingRankError) as caught:
                call("a a" * 500 + "b" + " a" * 100_000, 2000)
            assert 1500 == caught.value.offset


def seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def test_truncate_of_what_has_one_id_more_wherever_it_is_cut_off_takes_few_tries() -> None:
    # With the "d" all "a" are one piece and each "b" is one; without it the other way round.
    longs = [b"a" * n for n in range(2, 17)] + [b"b" * 2**n for n in range(1, 15)]
    ranks = {bytes([b]): b for b in range(256)} | {t: 256 + i for i, t in enumerate(longs)}
    pattern = r"a++(?=b*+d\z)|b(?=b*+d\z)|a|b++|d"
    enc = Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    text = "a" * 1500 + "b" * 1500 + "d"
    once = seconds(lambda: enc.count(text)) + seconds(lambda: enc.count(text[:-1]))
    cut = None

    def truncate() -> None:
        nonlocal cut
        cut = enc.truncate(text, 1500)

    assert seconds(truncate) < 120 * once  # some 45; 350 for one id less at a time
    assert cut is not None
    assert (cut.n_tokens, True) == (enc.count(cut.text), cut.truncated)
    assert 1000 < cut.n_tokens <= 1500


def test_limits_are_integers_as_python_reads_them(words: Encoding) -> None:
    class Three:
        def __index__(self) -> int:
            return 3

    text = "one two three four"
    assert not words.fits(text, Three())  # type: ignore[arg-type]
    assert words.truncate(text, 3) == words.truncate(text, Three())  # type: ignore[arg-type]


def test_truncate_of_what_has_more_ids_cut_off_does_not_take_for_ever() -> None:
    # Behind "b" all is one piece; before it each "a" is.
    merges = {bytes([b]): b for b in range(256)} | {b"a" * 2**n: 255 + n for n in range(1, 5)}
    enc = Encoding("x", pat_str=r"\Aa+b\z|a", mergeable_ranks=merges, special_tokens={})
    cut = enc.truncate("a" * 60_000 + "b", 2_000)
    assert (cut.n_tokens, True) == (enc.count(cut.text), cut.truncated)
    assert 0 < cut.n_tokens <= 2_000


def test_a_beginning_that_cannot_be_split_does_not_fit() -> None:
    merges = {bytes([b]): b for b in range(256)} | {b"a" * 2**n: 255 + n for n in range(1, 5)}
    enc = Encoding("x", pat_str="a+b|a", mergeable_ranks=merges, special_tokens={})
    text = "a" * 24_000 + "b"
    with pytest.raises(SplitError):
        enc.count(text[:-1])
    count = enc.count(text)
    assert enc.fits(text, count)
    cut = enc.truncate(text, count - 1)
    assert (cut.n_tokens, True) == (enc.count(cut.text), cut.truncated)
    assert cut.n_tokens < count

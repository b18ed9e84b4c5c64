"""Encoding: construction and encode, every case with its values in sight."""

from __future__ import annotations

import copy
import pickle
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ctok import Encoding, MergeTable, TokenizerSpec, TokenTable
from ctok.errors import (
    DisallowedSpecialError,
    InvalidPatternError,
    InvalidRanksError,
    InvalidSpecialTokensError,
    MissingRankError,
    SplitError,
    TextTypeError,
    ValidationError,
    VocabSizeError,
)

HELLO = {b"He": 0, b"ll": 1, b"llo": 2, b"H": 10, b"e": 11, b"l": 12, b"o": 13}
BYTES = {bytes([i]): i for i in range(256)}


def tiny(
    ranks: Mapping[bytes, int] = HELLO,
    specials: Mapping[str, int] | None = None,
    pattern: str = ".+",
    **options: Any,
) -> Encoding:
    return Encoding(
        "tiny", pat_str=pattern, mergeable_ranks=ranks, special_tokens=specials or {}, **options
    )


# ---- merging ----------------------------------------------------------------------


def test_lowest_rank_merges_first() -> None:
    assert [0, 2] == tiny().encode("Hello")


def test_leftmost_of_equal_ranks_merges_first() -> None:
    assert [0, 1] == tiny({b"aa": 0, b"a": 1}).encode("aaa")


@pytest.mark.parametrize(
    ("table", "merges", "says"),
    [
        (TokenTable(b"ab", bytes(8), bytes(4)), None, "2 token ends for 1 ids"),
        (TokenTable(b"ab", bytes(6), bytes(6)), None, "6 bytes hold no whole uint32 numbers"),
        (TokenTable(b"", b"", b""), MergeTable(bytes(4), bytes(8), bytes(4)), "unequal"),
        (TokenTable(b"", b"", b""), MergeTable(bytes(3), bytes(3), bytes(3)), "3 bytes hold no"),
    ],
)
def test_tables_that_do_not_fit_together_are_refused(
    table: TokenTable, merges: MergeTable | None, says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        Encoding.from_spec(TokenizerSpec("mine", table, "", merges))


def test_text_of_no_characters_has_no_ids() -> None:
    assert [] == tiny().encode("")


def test_piece_that_is_a_token_is_one_id_though_no_merge_makes_it() -> None:
    enc = tiny({b"abc": 3, b"a": 0, b"b": 1, b"c": 2})
    assert [3] == enc.encode("abc")
    assert [3, 0] == [*enc.encode("abc"), *enc.encode("a")]
    assert [0, 1, 2, 0] == enc.encode("abca")


def test_token_may_outrank_its_halves() -> None:
    # abcd has the best rank, but neither ab nor cd may be passed over on the way.
    enc = tiny({b"abcd": 0, b"cd": 1, b"ab": 2, b"a": 3, b"b": 4, b"c": 5, b"d": 6})
    assert [0, 3] == enc.encode("abcda")


def test_byte_without_rank_is_named() -> None:
    with pytest.raises(MissingRankError) as caught:
        tiny().encode("Hellz")
    assert (b"z", 4) == (caught.value.piece, caught.value.offset)
    assert isinstance(caught.value, KeyError)
    assert "b'z'" in str(caught.value)


def test_byte_without_rank_may_be_part_of_a_token() -> None:
    enc = tiny({b"ab": 0, b"b": 1})
    assert [0, 1] == enc.encode("abb")
    with pytest.raises(MissingRankError) as caught:
        enc.encode("aba")
    assert b"a" == caught.value.piece


def test_places_in_errors_count_the_characters_that_were_given() -> None:
    # A pair of surrogates is two characters of the text and one of what is encoded.
    pair = "\ud83d\ude00"
    with pytest.raises(MissingRankError, match="character 4") as caught:
        tiny({b"a": 0} | {bytes([i]): i for i in "\U0001f600".encode()}).encode(f"{pair}{pair}x")
    assert 4 == caught.value.offset
    with pytest.raises(DisallowedSpecialError, match="character 3") as refused:
        tiny(BYTES, {"<s>": 256}).encode(f"a{pair}<s>{pair}")
    assert 3 == refused.value.offset


def test_place_of_a_split_that_is_given_up_is_that_of_the_whole_text() -> None:
    # Between specials, each part of the text is split on its own.
    enc = tiny(BYTES, {"<s>": 256}, pattern=r"(a+)+[bc]")
    text = "é\ud83d\ude00<s>" + "a" * 50_000
    for encode in (enc.encode, enc.encode_with_offsets, lambda text, **_: enc.pieces(text)):
        with pytest.raises(SplitError) as caught:
            encode(text, allowed_special="all")  # type: ignore[operator]
        assert 6 <= caught.value.offset < len(text)
        assert f"(character {caught.value.offset})" in str(caught.value)


def test_single_byte_of_a_character_without_rank_is_named_with_its_character() -> None:
    with pytest.raises(MissingRankError) as caught:
        tiny({b"\xc3": 0, b"x": 1}).encode("xé")
    assert (b"\xa9", 1) == (caught.value.piece, caught.value.offset)


def test_long_piece_merges_like_a_short_one() -> None:
    ranks = BYTES | {b"a" * 2**k: 255 + k for k in range(1, 11)}
    enc = tiny(ranks)
    assert [265] * 3 == enc.encode("a" * 3072)
    assert [265, 264, 98] == enc.encode("a" * 1536 + "b")


# ---- splitting --------------------------------------------------------------------


def test_text_that_the_pattern_does_not_cover_is_dropped() -> None:
    assert [97, 98] == tiny(BYTES, pattern=r".+").encode("a\nb")


def test_empty_matches_make_no_ids() -> None:
    assert [97, 98] == tiny(BYTES, pattern=r"\w*").encode("a b")


# ---- specials ---------------------------------------------------------------------

BOS = {"<|bos|>": 14}


def test_special_is_refused_unless_asked_for() -> None:
    enc = tiny(BYTES, {"<|bos|>": 256})
    with pytest.raises(DisallowedSpecialError) as caught:
        enc.encode("é<|bos|>Hello")
    assert ("<|bos|>", 1) == (caught.value.token, caught.value.offset)
    assert isinstance(caught.value, ValueError)


def test_allowed_special_becomes_its_id() -> None:
    assert [14, 0, 2] == tiny(specials=BOS).encode("<|bos|>Hello", allowed_special="all")
    assert [14, 0, 2] == tiny(specials=BOS).encode("<|bos|>Hello", allowed_special={"<|bos|>"})


def test_special_is_plain_text_where_nothing_is_disallowed() -> None:
    enc = tiny(BYTES, {"<|bos|>": 256})
    assert list(b"<|bos|>H") == enc.encode("<|bos|>H", disallowed_special=())
    assert list(b"<|bos|>H") == enc.encode_ordinary("<|bos|>H")


def test_splitter_sees_each_side_of_a_special_on_its_own() -> None:
    # Blanks at the end of a text are one piece, before other text they are not.
    ranks = BYTES | {b"  ": 256, b" x": 257}
    enc = tiny(ranks, {"<|s|>": 300}, r"\s+(?!\S)| ?\S+|\s")
    assert [256, 300] == enc.encode("  <|s|>", allowed_special="all")
    assert [32, 257] == enc.encode("  x", allowed_special="all")


def test_longest_of_specials_that_start_together_is_matched() -> None:
    specials = {"<|a|>": 100, "<|a|>b": 101}
    enc = tiny({b"b": 0}, specials, special_token_matching="longest")
    assert [101] == enc.encode("<|a|>b", allowed_special="all")
    assert [100, 101] == enc.encode("<|a|><|a|>b", allowed_special="all")


def test_parity_matching_gives_what_tiktoken_may_give() -> None:
    enc = tiny({b"b": 0}, {"<|a|>": 100, "<|a|>b": 101}, special_token_matching="parity")
    assert enc.encode("<|a|>b", allowed_special="all") in ([101], [100, 0])


def test_unknown_special_token_matching_is_refused() -> None:
    with pytest.raises(ValidationError, match="shortest"):
        tiny(special_token_matching="shortest")


def test_shorter_special_is_matched_where_the_longer_is_not_allowed() -> None:
    enc = tiny({b"b": 0}, {"<|a|>": 100, "<|a|>b": 101})
    ids = enc.encode("<|a|>b", allowed_special={"<|a|>"}, disallowed_special=())
    assert [100, 0] == ids


def test_adjacent_and_repeated_specials_are_all_found() -> None:
    enc = tiny(BYTES, {"<|a|>": 300, "<|b|>": 301})
    assert [300, 301, 300] == enc.encode("<|a|><|b|><|a|>", allowed_special="all")
    assert [300] * 8 == enc.encode("<|a|>" * 8, allowed_special="all")


def test_near_misses_of_specials_are_plain_text() -> None:
    enc = tiny(BYTES, {"<|a|>": 300})
    assert list(b"<|a|") == enc.encode("<|a|", allowed_special="all")
    assert list(b"|a|>") == enc.encode("|a|>", allowed_special="all")
    assert [60, 300, 62] == enc.encode("<<|a|>>", allowed_special="all")
    assert [*b"<|a", 300] == enc.encode("<|a<|a|>", allowed_special="all")


def test_overlapping_specials_are_taken_from_the_left() -> None:
    enc = tiny(BYTES, {"aba": 300, "bab": 301})
    assert [300, 98] == enc.encode("abab", allowed_special="all")


def test_names_that_are_no_specials_are_ignored_when_allowed() -> None:
    assert [0, 2] == tiny(specials=BOS).encode("Hello", allowed_special={"<|nope|>"})


def test_any_text_may_be_disallowed() -> None:
    with pytest.raises(DisallowedSpecialError) as caught:
        tiny(specials=BOS).encode("Hello", disallowed_special={"llo"})
    assert ("llo", 2) == (caught.value.token, caught.value.offset)


def test_allowed_special_as_a_list_is_refused_also_when_its_set_is_known() -> None:
    enc = tiny(specials=BOS)
    assert [14, 0, 2] == enc.encode("<|bos|>Hello", allowed_special={"<|bos|>"})
    with pytest.raises(TypeError):
        enc.encode("Hello", allowed_special=["<|bos|>"])  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        enc.encode("Hello", allowed_special={"<|bos|>", 1})  # type: ignore[arg-type]


def test_disallowed_special_is_any_collection_and_all_but_what_is_allowed() -> None:
    enc = tiny(BYTES, {"<|bos|>": 300, "<|eos|>": 301})
    for _ in range(2):  # the second time the sets are known
        for disallowed in (["<|eos|>"], ("<|eos|>",), {"<|eos|>": 1}, iter(["<|eos|>"]), "all"):
            with pytest.raises(DisallowedSpecialError):
                enc.encode(
                    "<|eos|>",
                    allowed_special={"<|bos|>"},
                    disallowed_special=disallowed,  # type: ignore[arg-type]
                )
        assert [300] == enc.encode("<|bos|>", allowed_special={"<|bos|>"})
        assert [301] == enc.encode("<|eos|>", allowed_special={"<|eos|>"})
        assert list(b"<|eos|>") == enc.encode("<|eos|>", disallowed_special=None)  # type: ignore[arg-type]


# ---- surrogates and odd text ------------------------------------------------------


def test_lone_surrogate_is_encoded_as_the_replacement_character() -> None:
    assert list("�".encode()) == tiny(BYTES).encode("\ud83d")
    assert list("a��b".encode()) == tiny(BYTES).encode("a\ude42\ud83db")


def test_surrogate_pair_is_encoded_as_its_character() -> None:
    assert list("🙂".encode()) == tiny(BYTES).encode("\ud83d\ude42")


def test_lone_surrogate_in_a_str_with_an_encode_of_its_own() -> None:
    class Loud(str):
        def encode(self, *_: object) -> bytes:  # type: ignore[override]
            raise AssertionError

    enc = tiny(BYTES)
    assert str(enc.explain("a\ud83d")) == str(enc.explain(Loud("a\ud83d")))


def test_repaired_text_is_the_same_in_every_method() -> None:
    enc = tiny(BYTES)
    text, ids = "x\ud83d\ude42\ud83dé", list("x🙂�é".encode())
    assert ids == enc.encode(text)
    assert ids == enc.encode_ordinary(text)
    assert ids == enc.encode_batch([text])[0]
    assert ids == enc.encode_to_numpy(text).tolist()
    assert len(ids) == enc.count(text)


def test_nul_is_a_character_like_any_other() -> None:
    assert [0, 97, 0] == tiny(BYTES, pattern=r"(?s:.+)|\s").encode("\0a\0")


@pytest.mark.parametrize("text", [b"bytes", None, 7, ["a"], bytearray(b"a")])
def test_text_that_is_not_str_is_a_type_error(text: Any) -> None:
    enc = tiny(BYTES)
    for encode in (enc.encode, enc.encode_ordinary, enc.encode_to_numpy, enc.count):
        with pytest.raises(TypeError):
            encode(text)


def test_a_batch_says_which_text_is_no_str_before_it_does_anything() -> None:
    for encode in (tiny(BYTES).encode_batch, tiny(BYTES).encode_batch_to_numpy):
        with pytest.raises(TextTypeError, match="text 1 is bytes, str expected") as caught:
            encode(["a", b"b", 7])  # type: ignore[list-item]
        assert b"b" == caught.value.value


def test_a_batch_refuses_other_texts_in_the_order_of_its_own() -> None:
    with pytest.raises(DisallowedSpecialError) as caught:
        tiny(BYTES).encode_batch(["c", "xb", "a"], disallowed_special={"a", "b"})
    assert ("b", 1) == (caught.value.token, caught.value.offset)


def test_text_type_error_is_a_ctok_error() -> None:
    with pytest.raises(TextTypeError) as caught:
        tiny(BYTES).encode(b"bytes")  # type: ignore[arg-type]
    assert b"bytes" == caught.value.value


def test_subclass_of_str_is_text() -> None:
    class Name(str):
        __slots__ = ()

    enc, name = tiny(pattern=Name(".+")), Name("Hello")
    assert [0, 2] == enc.encode(name) == enc._encode_only_native_bpe(name)
    assert [[0, 2]] == enc.encode_batch([name]) == enc.encode_ordinary_batch([name])
    assert [0, 2] == enc.encode_batch_to_numpy([name])[0].tolist()
    assert (["Hello"], (0, 2)) == (enc.pieces(name), enc.explain(name).ids)
    assert "Hello" == enc.decode([0, 2], errors=Name("strict"))
    assert "He" == enc.decode_stream(Name("strict")).push(0)
    with pytest.raises(MissingRankError):
        enc.encode_batch([name, Name("x")])


# ---- construction -----------------------------------------------------------------


@pytest.mark.parametrize(
    "ranks",
    [
        {},
        {"a": 0},
        {b"a": -1},
        {b"a": 1.5},
        {b"a": "0"},
        {b"a": None},
        {b"a": 2**32 - 1},
        {b"a": 2**80},
        {1: 0},
    ],
)
def test_ranks_that_make_no_tokenizer_are_refused(ranks: Any) -> None:
    with pytest.raises(InvalidRanksError):
        tiny(ranks)


def test_refused_rank_is_named() -> None:
    with pytest.raises(InvalidRanksError, match=r"b'ab'.*-3"):
        tiny({b"a": 0, b"ab": -3})


@pytest.mark.parametrize(
    "specials",
    [{b"x": 300}, {"x": -1}, {"x": 1.0}, {"x": "300"}, {"": 300}, {"x": 2**32 - 1}, {7: 300}],
)
def test_specials_that_make_no_tokenizer_are_refused(specials: Any) -> None:
    with pytest.raises(InvalidSpecialTokensError):
        tiny(BYTES, specials)


@pytest.mark.parametrize(
    ("pattern", "offset"), [("(", 0), ("a(b", 1), ("[a", 0), (r"é\p{Nope}", 1), ("a)", 1)]
)
def test_pattern_that_does_not_compile_is_refused_with_its_place(pattern: str, offset: int) -> None:
    with pytest.raises(InvalidPatternError) as caught:
        tiny(BYTES, pattern=pattern)
    assert pattern == caught.value.pattern
    # The place is the construct that is wrong or the end of the pattern, where it was missed.
    assert caught.value.offset in range(offset, len(pattern) + 1)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("pattern", ["*", "+a", "a{2,1}", "(?<n", "[z-a]", "\\", "(?z)a"])
def test_malformed_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidPatternError):
        tiny(BYTES, pattern=pattern)


def test_pattern_that_is_not_str_is_refused() -> None:
    with pytest.raises(ValidationError):
        tiny(BYTES, pattern=b".+")  # type: ignore[arg-type]


def test_id_of_two_tokens_is_an_error_naming_both() -> None:
    with pytest.raises(InvalidRanksError, match=r"(?s)(?=.*ab)(?=.*cd)"):
        tiny(BYTES | {b"ab": 300, b"cd": 300})


def test_id_of_token_and_special_is_an_error_naming_both() -> None:
    with pytest.raises(ValidationError, match=r"(?s)(?=.*ab)(?=.*<s>)"):
        tiny(BYTES | {b"ab": 300}, {"<s>": 300})


def test_specials_share_an_id_that_decodes_to_the_first() -> None:
    enc = tiny(BYTES, {"<s>": 300, "<t>": 300})
    assert [300, 300] == enc.encode("<t><s>", allowed_special="all")
    assert "<s>" == enc.decode([300])
    with pytest.raises(DisallowedSpecialError, match="<t>"):
        enc.encode("<t>", allowed_special={"<s>"})


def test_duplicate_ids_can_be_asked_for() -> None:
    enc = tiny(BYTES | {b"ab": 300, b"cd": 300}, allow_duplicate_ids=True)
    assert [300, 300] == [*enc.encode("ab"), *enc.encode("cd")]
    assert "cd" == enc.decode([300])


def test_explicit_n_vocab_is_checked() -> None:
    specials = {"<s>": 256}
    assert 257 == tiny(BYTES, specials, explicit_n_vocab=257).n_vocab
    for wrong in (256, 258, 1):
        with pytest.raises(VocabSizeError) as caught:
            tiny(BYTES, specials, explicit_n_vocab=wrong)
        assert isinstance(caught.value, AssertionError)
        assert str(wrong) in str(caught.value)


def test_explicit_n_vocab_allows_no_holes() -> None:
    with pytest.raises(VocabSizeError):
        tiny(BYTES, {"<s>": 257}, explicit_n_vocab=257)


def test_ids_may_be_as_large_as_32_bits_allow() -> None:
    enc = tiny({b"a": 0, b"b": 2**32 - 2}, {"<s>": 2**31})
    assert [0, 2**32 - 2] == enc.encode("ab")
    assert "ab<s>" == enc.decode([0, 2**32 - 2, 2**31])
    assert 2**32 - 1 == enc.n_vocab


# ---- facts ------------------------------------------------------------------------


def test_facts_are_those_of_the_definition() -> None:
    enc = tiny(specials=BOS | {"<|endoftext|>": 20})
    assert "tiny" == enc.name
    assert (20, 21, 20) == (enc.max_token_value, enc.n_vocab, enc.eot_token)
    assert {"<|bos|>", "<|endoftext|>"} == enc.special_tokens_set
    assert [b"H", b"He", b"e", b"l", b"ll", b"llo", b"o"] == enc.token_byte_values()
    assert (True, False, False) == tuple(map(enc.is_special_token, (14, 13, 15)))
    assert "<Encoding 'tiny'>" == repr(enc)


def test_private_names_that_programs_use_are_there() -> None:
    enc = tiny(specials=BOS)
    assert ".+" == enc._pat_str
    assert HELLO == enc._mergeable_ranks
    assert BOS == enc._special_tokens
    assert [0, 2] == enc._encode_single_piece("Hello")
    assert [0, 2] == enc._core_bpe.encode_ordinary("Hello")


def test_end_of_text_token_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        _ = tiny().eot_token


def test_encoding_does_not_change() -> None:
    enc = tiny()
    with pytest.raises(AttributeError):
        enc.name = "other"  # type: ignore[misc]
    ranks = dict(BYTES)
    made_of = tiny(ranks)
    ranks[b"ab"] = 256
    assert [97, 98] == made_of.encode("ab")
    made_of._special_tokens["<s>"] = 300
    assert {} == made_of._special_tokens
    expected = tiny(BYTES).fingerprint
    made_of._mergeable_ranks[b"ab"] = 256
    assert (expected, 256) == (made_of.fingerprint, len(made_of.token_byte_values()))


def test_equal_encodings_have_equal_hashes() -> None:
    one, same = (
        tiny(BYTES),
        Encoding("other", pat_str=".+", mergeable_ranks=BYTES, special_tokens={}),
    )
    assert one == same
    assert hash(one) == hash(same)
    assert one != tiny(BYTES, {"<s>": 300})


class Derived(Encoding):
    """One with an attribute of its own."""

    note: str


def test_pickles_keep_class_engine_and_attributes() -> None:
    spec = tiny(specials=BOS).spec
    enc = Derived.from_spec(spec, engine="pcre2")
    object.__setattr__(enc, "note", "mine")
    again = pickle.loads(pickle.dumps(enc))
    assert (Derived, "pcre2", "mine") == (type(again), again.splitter, again.note)
    assert enc == again


class Lazy(Encoding):
    """A derived class that forgot to build."""

    def __init__(self) -> None:
        pass


@pytest.mark.parametrize("name", sorted(set(dir(Encoding)) - set(dir(object))))
def test_encoding_that_was_not_built_raises_whatever_is_asked(name: str) -> None:
    try:
        attribute = getattr(Lazy(), name)
    except (AttributeError, ValidationError):
        return
    if not name.startswith("__") and name not in ("from_spec", "cache_clear", "_claim"):
        for arguments in (("a",), (["a"],), ([1],), (1,), (b"a",), (b"a", b"b"), ("a", 3), ()):
            with pytest.raises((AttributeError, ValidationError, TypeError)):
                attribute(*arguments)


def test_specials_may_have_ids_of_numpy() -> None:
    enc = tiny(BYTES, {"<s>": np.int64(256)})
    for same in (enc, Encoding.from_spec(replace(enc.spec, specials={"<s>": np.int64(256)}))):
        assert [256] == same.encode("<s>", allowed_special="all")
        assert int is type(same.encode_single_token("<s>"))
        assert same.is_special_token(np.int64(256))  # type: ignore[arg-type]
        assert not same.is_special_token(np.int64(255))  # type: ignore[arg-type]


def test_an_encoding_that_was_refused_cannot_be_tried_again() -> None:
    enc = Encoding.__new__(Encoding)
    with pytest.raises(InvalidPatternError):
        enc.__init__("x", pat_str="(", mergeable_ranks=BYTES, special_tokens={})  # type: ignore[misc]
    with pytest.raises(ValidationError, match="or refused"):
        enc.__init__("x", pat_str=".", mergeable_ranks=BYTES, special_tokens={})  # type: ignore[misc]


def test_tokens_that_no_merge_makes_are_built_in_a_moment() -> None:
    def seconds(length: int) -> float:
        """For so many bytes of tokens."""
        source = random.Random(8)
        n = 1_200_000 // length
        long = {bytes(source.choices(b"abcd", k=length)): 256 + i for i in range(n)}
        started = time.process_time()
        enc = tiny(BYTES | long)
        taken = time.process_time() - started
        assert [256] == enc.encode(next(iter(long)).decode())
        return taken

    # To look each part of each up takes ten times as long.
    assert min(seconds(40_000) for _ in range(3)) < 4 * min(seconds(4_000) for _ in range(3))


def test_an_encoding_is_not_built_again() -> None:
    many = {f"<{i}>": 300 + i for i in range(5000)}
    enc = tiny(BYTES, many)
    before = (enc.name, enc.special_tokens_set, enc.encode("<7>", allowed_special="all"))
    with pytest.raises(ValidationError, match="built already"):
        enc.__init__("other", pat_str="a", mergeable_ranks=BYTES, special_tokens={"<x>": 300})  # type: ignore[misc]
    assert before == (enc.name, enc.special_tokens_set, enc.encode("<7>", allowed_special="all"))


def test_copies_are_the_same_object() -> None:
    enc = tiny()
    assert enc is copy.copy(enc)
    assert enc is copy.deepcopy(enc)


def test_single_token_is_found_by_text_and_by_bytes() -> None:
    enc = tiny(specials=BOS)
    assert [2, 2, 14] == [enc.encode_single_token(token) for token in ("llo", b"llo", "<|bos|>")]
    for missing in ("x", b"\xff", "lloo", ""):
        with pytest.raises(KeyError):
            enc.encode_single_token(missing)

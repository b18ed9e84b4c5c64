"""Merges step by step: the steps are those that make the ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ctok
from ctok import Encoding
from ctok.errors import LimitError, MissingRankError
from ctok.explain import MAX_BYTES

GPT2 = ctok.get_encoding("gpt2")
CL100K = ctok.get_encoding("cl100k_base")


def test_steps_are_the_merges_in_order() -> None:
    explanation = GPT2.explain("hello!")
    assert [(b"h", b"e"), (b"l", b"l"), (b"he", b"ll"), (b"hell", b"o")] == [
        (step.left, step.right) for step in explanation.steps
    ]
    assert [258, 297, 12758, 31373] == [step.id for step in explanation.steps]
    assert (b"he", b"l", b"l", b"o", b"!") == explanation.steps[0].parts
    assert (b"hello", b"!") == explanation.parts
    assert (31373, 0) == explanation.ids
    assert not explanation.whole


def test_each_step_takes_the_lowest_rank_and_the_leftmost_place() -> None:
    ranks = {b"a": 0, b"b": 1, b"ab": 2, b"ba": 3, b"abab": 4}
    enc = Encoding("x", pat_str=".+", mergeable_ranks=ranks, special_tokens={})
    assert [(b"ab", b"a", b"b", b"a"), (b"ab", b"ab", b"a"), (b"abab", b"a")] == [
        step.parts for step in enc.explain("ababa").steps
    ]


@pytest.mark.parametrize("enc", [GPT2, CL100K], ids=repr)
@given(piece=st.one_of(st.text(max_size=24), st.binary(max_size=24)))
def test_parts_decode_to_the_ids_of_the_core(enc: Encoding, piece: str | bytes) -> None:
    explanation = enc.explain(piece)
    assert explanation.piece == b"".join(explanation.parts)
    if not explanation.whole:
        assert explanation.ids == tuple(map(enc.encode_single_token, explanation.parts))
    for step in explanation.steps:
        assert step.id == enc.encode_single_token(step.merged)
        assert step.merged in step.parts


def test_whole_piece_that_merges_cannot_make_says_so() -> None:
    ranks = {b"a": 0, b"b": 1, b"c": 2, b"abc": 3}
    enc = Encoding("x", pat_str=".+", mergeable_ranks=ranks, special_tokens={})
    explanation = enc.explain("abc")
    assert ((3,), (), True) == (explanation.ids, explanation.steps, explanation.whole)
    assert "merges alone would not make it" in str(explanation)
    assert "merges would make the same" in str(GPT2.explain(" there"))


def test_text_of_several_pieces_says_so() -> None:
    assert "merges each piece: 'hello' ' world'" in str(GPT2.explain("hello world"))
    assert "merges each piece" not in str(GPT2.explain(" world"))
    assert "merges each piece" not in str(GPT2.explain(b"hello world"))


def test_printed_table_has_a_row_per_step() -> None:
    assert [
        "'hi!' in gpt2",
        "                       h i !",
        "  1  h + i  rank 5303  hi !",
        "encode() splits this text first and merges each piece: 'hi' '!'",
        "ids: 5303 0",
    ] == str(GPT2.explain("hi!")).split("\n")


def test_bytes_and_blanks_are_shown_like_in_views() -> None:
    shown = str(GPT2.explain(b" \xe4"))
    assert shown.startswith("b' \\xe4' in gpt2\n")
    assert "· <E4>" in shown


def test_notebooks_get_escaped_html() -> None:
    html = GPT2.explain("<b>&")._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;" in html
    assert html.count("<td") == html.count("</td>")
    assert html.count("<tr>") == html.count("</tr>")


def test_empty_piece_has_no_steps() -> None:
    explanation = GPT2.explain("")
    assert ((), (), ()) == (explanation.ids, explanation.steps, explanation.parts)
    assert "ids:" in str(explanation)


def test_surrogates_are_mended_as_encode_mends_them() -> None:
    assert tuple(GPT2.encode("\ud83d\ude42")) == GPT2.explain("\ud83d\ude42").ids
    assert tuple(GPT2.encode("\ud83d")) == GPT2.explain("\ud83d").ids


def test_piece_beyond_the_limit_is_refused() -> None:
    assert 1 <= len(GPT2.explain("a" * MAX_BYTES).steps)
    with pytest.raises(LimitError, match=str(MAX_BYTES)):
        GPT2.explain("a" * (MAX_BYTES + 1))


def test_byte_without_token_is_a_missing_rank() -> None:
    enc = Encoding("x", pat_str=".+", mergeable_ranks={b"a": 0}, special_tokens={})
    with pytest.raises(MissingRankError):
        enc.explain("az")

"""Views of tokens: what is shown, where, and that nothing in a text can break out of it."""

from __future__ import annotations

import html.parser
import io
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ctok
from ctok.errors import DisallowedSpecialError, ValidationError
from ctok.view import Token, View, wants_colour

GPT2 = ctok.get_encoding("gpt2")


@pytest.fixture(autouse=True)
def no_colour_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def shown(data: bytes) -> str:
    return "".join(segment.text for segment in Token(0, data).segments())


# ---- one token ----


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"hello", "hello"),
        (b" a b", "·a·b"),
        (b"\t\n\r", "→↵␍"),
        (b"\x00\x1b[31m\x7f", "␀␛[31m␡"),
        (b"\xe4", "<E4>"),
        (b"a\xe4\xbd", "a<E4><BD>"),
        ("你".encode(), "你"),
        ("e\u0301".encode(), "e\u0301"),
        ("\u00a0\u200b\u2028\u202e".encode(), "<U+00A0><U+200B><U+2028><U+202E>"),
        ("\ue000\U000e0041".encode(), "<U+E000><U+E0041>"),
        (b"\xed\xa0\x80", "<ED><A0><80>"),
        (b"", ""),
    ],
)
def test_token_is_shown_with_glyphs_and_chips(data: bytes, expected: str) -> None:
    assert expected == shown(data)


@given(st.binary(max_size=30))
def test_shown_token_has_nothing_that_moves_the_cursor_or_the_line(data: bytes) -> None:
    assert all(character.isprintable() or character == " " for character in shown(data))


# ---- plain ----


def test_plain_view_has_bars_between_tokens_and_counts_below() -> None:
    view = GPT2.view("hello wörld")
    assert (
        "hello│·w│ör│ld\n4 tokens · 11 characters · 12 bytes · 3.00 bytes per token · gpt2"
        == view.plain()
    )


def test_lines_of_the_text_are_lines_of_the_view() -> None:
    assert ["a│↵", "│b", "3 tokens"] == [
        line.partition(" ·")[0] for line in GPT2.view("a\nb").plain().split("\n")
    ]


def test_empty_text_has_counts_only() -> None:
    assert "0 tokens · 0 characters · 0 bytes · gpt2" == GPT2.view("").plain()


def test_character_in_several_tokens_is_shown_as_bytes() -> None:
    assert "<F0><9F>│<A5>│<9D>" == GPT2.view("🥝").plain().split("\n")[0]


def test_ids_are_shown_on_request() -> None:
    assert GPT2.view("hello world", show_ids=True).plain().startswith("hello(31373)│·world(995)\n")


def test_budget_marks_the_place_and_counts_what_is_over() -> None:
    view = GPT2.view("one two three four", budget=3)
    assert "one│·two│·three┃·four" == view.plain().split("\n")[0]
    assert "1 over the budget of 3" in view.counts()
    assert 1 == view.n_over
    assert "2 left of the budget of 6" in GPT2.view("one two three four", budget=6).counts()
    assert 0 == GPT2.view("one", budget=6).n_over


def test_budget_below_zero_is_refused() -> None:
    with pytest.raises(ValidationError, match="-1"):
        GPT2.view("one", budget=-1)


def test_specials_are_text_by_default_and_special_on_request() -> None:
    text = "a<|endoftext|>"
    assert 1 < len(GPT2.view(text).ids[1:])
    view = GPT2.view(text, allowed_special="all")
    assert [64, 50256] == view.ids
    assert [False, True] == [token.is_special for token in view.tokens]
    with pytest.raises(DisallowedSpecialError):
        GPT2.view(text, disallowed_special="all")


# ---- colour ----


def test_neighbours_differ_in_colour_and_in_underline() -> None:
    view = GPT2.view("one two three " * 20)
    styles = re.findall(r"\x1b\[([\d;]+)m[^\x1b]+\x1b\[0m", view.ansi())[: len(view)]
    assert len(view) == len(styles)
    for left, right in pairwise(styles):
        assert left.split(";")[:6] != right.split(";")[:6]
        assert left.endswith(";4") != right.endswith(";4")


def test_colours_are_readable_on_any_terminal() -> None:
    # Contrast of black on each background, after WCAG.
    from ctok.view import PALETTE_RGB

    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    for red, green, blue in PALETTE_RGB:
        light = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        assert 4.5 < (light + 0.05) / 0.05


def test_tokens_over_the_budget_have_no_background() -> None:
    ansi = GPT2.view("one two", budget=1).ansi()
    assert "\x1b[38;5;16;48;5;167mone\x1b[0m\x1b[38;5;245;4m·two\x1b[0m\n" in ansi


@given(st.text(max_size=40))
def test_without_its_escapes_the_coloured_view_is_the_plain_one_without_bars(text: str) -> None:
    view = GPT2.view(text.replace("│", "").replace("┃", ""))
    assert view.plain().replace("│", "") == re.sub(r"\x1b\[[\d;]+m", "", view.ansi())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "stream", "expected"),
    [
        ({}, Terminal(), True),
        ({}, io.StringIO(), False),
        ({"NO_COLOR": "1"}, Terminal(), False),
        ({"NO_COLOR": ""}, Terminal(), True),
        ({"FORCE_COLOR": "1"}, io.StringIO(), True),
        ({"FORCE_COLOR": "0"}, Terminal(), False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, io.StringIO(), False),
        ({"TERM": "dumb"}, Terminal(), False),
    ],
)
def test_colour_is_for_terminals_unless_variables_say_otherwise(
    variables: dict[str, str],
    stream: io.StringIO,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert expected == wants_colour(stream)
    monkeypatch.setattr("sys.stdout", stream)
    view = GPT2.view("one two")
    assert (view.ansi() if expected else view.plain()) == str(view)


def test_rich_prints_the_same_text() -> None:
    console = pytest.importorskip("rich.console")
    view = GPT2.view("one\ntwo [red]three[/red]", budget=3)
    out = io.StringIO()
    console.Console(file=out, width=200, force_terminal=True).print(view)
    plain = re.sub(r"\x1b\[[\d;]+m", "", out.getvalue())
    assert view.plain().replace("│", "").replace("┃", "") == plain.rstrip("\n")
    assert "\x1b[" in out.getvalue()


# ---- HTML ----


class Outline(html.parser.HTMLParser):
    """Tags in balance, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = "<script>alert('x')</script> & \"quotes\" <b> <|endoftext|> \x00\x1b </div>"


@given(st.one_of(st.just(HOSTILE), st.text(max_size=40)))
def test_html_is_balanced_escaped_and_needs_nothing_else(text: str) -> None:
    view = GPT2.view(text, show_ids=True, budget=5)
    outline = Outline()
    outline.feed(view.html())
    outline.close()
    assert [] == outline.open
    assert {"div", "span", "code", "sub"} >= outline.tags
    assert {"style", "title", "class"} >= outline.names
    expected = "".join(
        "".join(segment.text for segment in token.segments())
        + f"{token.id}"
        + ("\n" if token.data.endswith(b"\n") else "")
        for token in view.tokens
    )
    assert expected + view.counts() == outline.text


def test_notebooks_get_the_html() -> None:
    view = GPT2.view("hello")
    assert view.html() == view._repr_html_()
    assert "<View of 1 token of gpt2>" == repr(view)


def test_view_is_a_function_of_its_values() -> None:
    view = View.from_tokens("x", "ab", [1, 2], [b"a", b"b"], [False, True], budget=1)
    assert "a┃b" == view.plain().split("\n")[0]
    assert view == View.from_tokens("x", "ab", [1, 2], [b"a", b"b"], [False, True], budget=1)

"""Special tokens: every combination of what is allowed and disallowed does what tiktoken does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import ctok
from oracles import OPENAI, tiktoken_encoding

Outcome = list[int] | type[Exception]

EOT, FIM = "<|endoftext|>", "<|fim_prefix|>"
TEXTS = (
    "",
    "no special at all",
    EOT,
    f"a{EOT}b",
    f"{EOT}{EOT}",
    f"{EOT}{FIM}{EOT}",
    f" {EOT} ",
    f"x{FIM}\n",
    EOT * 8,
    f"<{EOT}>",
    EOT[:-1],
    EOT[1:],
    EOT.upper(),
    f"{EOT[:-2]}{EOT}",
    "<|not_special|>",
    f"é{EOT}漢{FIM}\ud83d",
)
ALLOWED: tuple[Any, ...] = (
    "all",
    set(),
    {EOT},
    {FIM},
    {EOT, FIM},
    frozenset({EOT}),
    {"<|not_special|>"},
    {"", EOT},
)
DISALLOWED: tuple[Any, ...] = (
    "all",
    (),
    set(),
    None,
    {EOT},
    {FIM},
    [EOT],
    (EOT, FIM),
    frozenset({FIM}),
    {"<|not_special|>"},
    {"special"},
    {EOT: 1},
)


def written(value: Any) -> str:
    """The test's id: like ``repr``, but a set reads the same in every process."""
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__}{sorted(value)}"
    return repr(value)


def outcome(encode: Callable[..., list[int]], text: str, **options: Any) -> Outcome:
    try:
        return encode(text, **options)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("allowed", ALLOWED, ids=written)
@pytest.mark.parametrize("disallowed", DISALLOWED, ids=written)
@pytest.mark.parametrize("name", ["cl100k_base", "gpt2"])
def test_allowed_and_disallowed_mean_what_they_mean_for_tiktoken(
    name: str, allowed: Any, disallowed: Any
) -> None:
    ours, theirs = ctok.get_encoding(name), tiktoken_encoding(name)
    options = {"allowed_special": allowed, "disallowed_special": disallowed}
    for text in TEXTS:
        expected = outcome(theirs.encode, text, **options)
        actual = outcome(ours.encode, text, **options)
        if isinstance(expected, list):
            assert expected == actual, text
        else:
            assert isinstance(actual, type) and issubclass(actual, expected), (text, actual)


NO_SETS: tuple[Any, ...] = (
    [], [EOT], (), (EOT,), "", "none", EOT, 0, 7, False, None, b"", {}, {EOT: 1}, {EOT: 1}.keys(),
    {1}, {b"a"}, {None},
)  # fmt: skip


@pytest.mark.parametrize("allowed", NO_SETS, ids=written)
@pytest.mark.parametrize("disallowed", ["all", (), None], ids=written)
def test_what_is_no_set_of_str_cannot_be_allowed(allowed: Any, disallowed: Any) -> None:
    for enc in (ctok.get_encoding("gpt2"), tiktoken_encoding("gpt2")):
        for encode in (enc.encode, enc.encode_to_numpy, enc.encode_with_unstable):
            with pytest.raises(TypeError):
                encode("text", allowed_special=allowed, disallowed_special=disallowed)


@pytest.mark.parametrize("allowed", [{""}, {"ext"}, {EOT, "text"}], ids=written)
def test_names_that_are_no_specials_do_not_make_text_stable(allowed: set[str]) -> None:
    answers = [
        enc.encode_with_unstable("some text", allowed_special=allowed)
        for enc in (tiktoken_encoding("gpt2"), ctok.get_encoding("gpt2"))
    ]
    (expected, following), (actual, others) = answers
    assert (expected, sorted(following)) == (actual, sorted(others))


@pytest.mark.parametrize("name", OPENAI)
def test_all_specials_joined_encode_as_with_tiktoken(name: str) -> None:
    ours, theirs = ctok.get_encoding(name), tiktoken_encoding(name)
    specials = sorted(ours.special_tokens_set)
    assert sorted(theirs.special_tokens_set) == specials
    for joint in ("", " ", "\n", "<", "a"):
        text = joint.join(specials)
        assert theirs.encode(text, allowed_special="all") == ours.encode(
            text, allowed_special="all"
        )
        assert theirs.encode_ordinary(text) == ours.encode_ordinary(text)
        some = set(specials[::2])
        assert theirs.encode(text, allowed_special=some, disallowed_special=()) == ours.encode(
            text, allowed_special=some, disallowed_special=()
        )


@pytest.mark.parametrize("name", OPENAI)
def test_near_misses_of_every_special_encode_as_with_tiktoken(name: str) -> None:
    ours, theirs = ctok.get_encoding(name), tiktoken_encoding(name)
    shapes = ("{0}>", "<{0}", "a{0}b", "{0}{0}{0}{0}{0}{0}{0}{0}", "{1}{0}", "{1}", "{2}", "{3}")
    for special in sorted(ours.special_tokens_set)[:40]:
        for shape in shapes:
            text = shape.format(special, special[:-1], special[1:], special.replace("|", "\u01c0"))
            for allowed in ("all", set()):
                options: dict[str, Any] = {"allowed_special": allowed, "disallowed_special": ()}
                assert theirs.encode(text, **options) == ours.encode(text, **options)

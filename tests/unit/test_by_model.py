"""One-call encoding by a model's name (FEATURES A07, A23, A24)."""

from __future__ import annotations

import os
from typing import Any

import pytest

import ctok
from ctok import Encoding
from ctok.errors import InvalidTokenIdError, TextTypeError, UnknownModelError, ValidationError

BYTES = {bytes([i]): i for i in range(256)}
STUB = Encoding("stub", pat_str=".+", mergeable_ranks=BYTES, special_tokens={"<|bos|>": 300})


def load_stub(name: str) -> Encoding:
    assert name == "any model"
    return STUB


def test_special_tokens_become_ids_by_default() -> None:
    assert [300, 72] == ctok.encode("<|bos|>H", "any model", loader=load_stub)


def test_special_tokens_are_text_when_not_allowed() -> None:
    ids = ctok.encode("<|bos|>", "any model", allow_special_tokens=False, loader=load_stub)
    assert list(b"<|bos|>") == ids


def test_encode_text_is_encode() -> None:
    assert ctok.encode_text is ctok.encode


def test_decode_gives_the_text_back() -> None:
    assert "<|bos|>H" == ctok.decode([300, 72], "any model", loader=load_stub)


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-4o-2024-05-13", "o200k_base"])
def test_models_and_encodings_are_known_by_name(name: str) -> None:
    assert ctok.get_encoding("o200k_base").encode("hi there") == ctok.encode("hi there", name)
    assert "hi there" == ctok.decode(ctok.encode("hi there", name), name)


def test_an_unknown_model_is_an_error_that_names_it() -> None:
    with pytest.raises(UnknownModelError, match="no-such-model"):
        ctok.encode("a", "no-such-model")


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("the environment was read")

    monkeypatch.setattr(os, "getenv", refuse)
    monkeypatch.setattr(type(os.environ), "__getitem__", refuse)
    assert [72] == ctok.encode("H", "any model", loader=load_stub)
    assert "H" == ctok.decode([72], "any model", loader=load_stub)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ctok.encode(7, "gpt2"), TextTypeError, "text is int, str expected"),  # type: ignore[arg-type]
        (lambda: ctok.encode("a", 7), ValidationError, "model_name is int, str expected"),  # type: ignore[arg-type]
        (
            lambda: ctok.decode("ab", "gpt2"),  # type: ignore[arg-type]
            InvalidTokenIdError,
            "ids is str, a list of integers expected",
        ),
        (
            lambda: ctok.decode([1, "a"], "gpt2"),  # type: ignore[list-item]
            InvalidTokenIdError,
            "id 'a' is str, an integer expected",
        ),
    ],
)
def test_wrong_arguments_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message == str(caught.value)

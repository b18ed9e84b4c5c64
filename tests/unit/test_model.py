"""Models to encodings: tiktoken's table, row by row."""

from __future__ import annotations

import pytest
import tiktoken.model as oracle

import ctok
from ctok import model
from ctok.errors import UnknownModelError, ValidationError

VERSIONS = [prefix + "2024-05-13" for prefix in oracle.MODEL_PREFIX_TO_ENCODING]


def test_tables_are_those_of_tiktoken() -> None:
    assert oracle.MODEL_TO_ENCODING == model.MODEL_TO_ENCODING
    # Order decides between prefixes.
    assert list(oracle.MODEL_PREFIX_TO_ENCODING.items()) == list(
        model.MODEL_PREFIX_TO_ENCODING.items()
    )


@pytest.mark.parametrize(
    "name",
    [
        *oracle.MODEL_TO_ENCODING,
        *VERSIONS,
        "gpt-4o-mini",
        "gpt-4.1-nano",
        "gpt-5-mini",
        "ft:gpt-4o-mini:org::id",
        "ft:gpt-4:org",
        "gpt-oss-120b",
    ],
)
def test_model_has_the_encoding_that_tiktoken_says(name: str) -> None:
    assert oracle.encoding_name_for_model(name) == ctok.encoding_name_for_model(name)
    assert ctok.encoding_for_model(name) is ctok.get_encoding(oracle.encoding_name_for_model(name))


@pytest.mark.parametrize("name", ["", "gpt-6", "llama-3", "GPT-4o", " gpt-4o", "ft:", "o200k_base"])
def test_unknown_model_is_unknown_to_both(name: str) -> None:
    with pytest.raises(KeyError):
        oracle.encoding_name_for_model(name)
    with pytest.raises(UnknownModelError) as caught:
        ctok.encoding_name_for_model(name)
    assert isinstance(caught.value, KeyError)
    assert name == caught.value.model


def test_unknown_model_gets_the_list_and_a_guess() -> None:
    with pytest.raises(UnknownModelError) as caught:
        ctok.encoding_for_model("gpt4o")
    for name in [*model.MODEL_TO_ENCODING, *model.MODEL_PREFIX_TO_ENCODING]:
        assert name in str(caught.value)
    assert "'gpt-4o'" in caught.value.suggestions()[0]


def test_model_that_is_no_str_is_a_validation_error() -> None:
    with pytest.raises(ValidationError, match="NoneType"):
        ctok.encoding_for_model(None)  # type: ignore[arg-type]


def test_table_can_be_extended_as_with_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(model.MODEL_TO_ENCODING, "my-model", "gpt2")
    assert "gpt2" == ctok.encoding_name_for_model("my-model")

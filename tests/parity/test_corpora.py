"""Every corpus with every embedded encoding, and the vectors of another tokenizer's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ctok
from oracles import shared_definition, tiktoken_encoding
from testdata import read_data

CORPORA = (
    "NormalizationTest.txt",
    "chat.jsonl",
    "code.txt",
    "emoji-test.txt",
    "english.txt",
    "multilingual.txt",
    "utf8_all_codepoints.txt",
    "web_mix.txt",
)


@pytest.mark.parametrize("corpus_name", CORPORA)
@pytest.mark.parametrize(
    "names",
    [
        ["r50k_base", "gpt2"],
        ["p50k_base", "p50k_edit"],
        ["cl100k_base"],
        ["o200k_base", "o200k_harmony"],
    ],
)
def test_corpus_encodes_as_with_tiktoken(
    corpus: Callable[[str], str], corpus_name: str, names: list[str]
) -> None:
    text = corpus(corpus_name)
    expected = tiktoken_encoding(names[0]).encode_to_numpy(text, disallowed_special=())
    for name in names:
        enc = ctok.get_encoding(name)
        ids = enc.encode_ordinary_to_numpy(text)
        assert np.array_equal(expected, ids), name
        assert text.encode() == enc.decode_bytes(ids)


def vector_inputs(path: Path, kind: str) -> list[str]:
    """One text a line, or the whole file; a blank at the end and line ends are escaped."""
    contents = path.read_text(encoding="utf-8")
    if kind == "utf8":
        return [contents]
    return [line.replace(r"\n", "\n").replace(r"\s", " ") for line in contents.split("\n")]


@pytest.mark.parametrize("kind", ["small", "mixed", "utf8"])
@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base", "p50k_base", "kimi_k2"])
def test_vectors_of_kitoken_are_met(data_dir: Path, name: str, kind: str) -> None:
    # From kitoken's tests, made with tiktoken; provenance is in the data's MANIFEST.tsv.
    folder = data_dir / "vectors" / "kitoken"
    rows = read_data(folder / "tiktoken" / f"{kind}_tokens_{name}.txt").decode().splitlines()
    texts = vector_inputs(folder / f"{kind}_input.txt", kind)[: len(rows)]
    is_kimi = name == "kimi_k2"
    enc = ctok.Encoding(**shared_definition(name)) if is_kimi else ctok.get_encoding(name)
    # kitoken does not take [PAD] for a special, the model's configuration does.
    allowed = enc.special_tokens_set - {"[PAD]"}
    for text, row in zip(texts, rows, strict=True):
        ids = enc.encode(text, allowed_special=allowed, disallowed_special=())
        assert [int(number) for number in row.split(",")] == ids

"""The named patterns: what they are, what they do to a few texts, who compiles them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctok import patterns
from ctok._core import Splitter
from ctok.errors import UnknownEncodingError
from testdata import read_data

TEXT = "I'LL say 你好。世界 1234\n\n  hiThere!! don't"


def pieces(name: str, text: str, engine: str | None = None) -> list[str]:
    steps = patterns.get(name).steps
    return patterns.apply_steps([Splitter(step, engine).split for step in steps], text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt2", ["I", "'", "LL", " say", " 你好", "。", "世界", " 1234", "\n\n ", " hiThere",
                  "!!", " don", "'t"]),
        ("cl100k_base", ["I", "'LL", " say", " 你好", "。世界", " ", "123", "4", "\n\n", " ",
                         " hiThere", "!!", " don", "'t"]),
        ("o200k_base", ["I'LL", " say", " 你好", "。世界", " ", "123", "4", "\n\n", " ", " hi",
                        "There", "!!", " don't"]),
        ("llama3", ["I", "'LL", " say", " 你好", "。世界", " ", "123", "4", "\n\n", " ",
                    " hiThere", "!!", " don", "'t"]),
        ("qwen2", ["I", "'LL", " say", " 你好", "。世界", " ", "1", "2", "3", "4", "\n\n", " ",
                   " hiThere", "!!", " don", "'t"]),
        ("kimi", ["I'LL", " say", " ", "你好", "。", "世界", " ", "123", "4", "\n\n", " ", " hi",
                  "There", "!!", " don't"]),
        ("tekken", ["I", "'LL", " say", " 你好", "。世界", " ", "1", "2", "3", "4", "\n\n", " ",
                    " hi", "There", "!!", " don", "'t"]),
        ("deepseek-v3", ["I", "'LL", " say", " ", "你好", "。", "世界", " ", "123", "4", "\n\n",
                         " ", " hiThere", "!!", " don", "'t"]),
        ("deepseek-llm", ["I", "'", "LL", " say", " ", "你好", "。", "世界", " ", "1234", "\n",
                          "\n", " ", " hiThere", "!!", " don", "'", "t"]),
        ("deepseek-coder", ["I", "'", "LL", " say", " ", "你好", "。", "世界", " ", "1", "2", "3",
                            "4", "\n", "\n", " ", " hiThere", "!!", " don", "'", "t"]),
        ("starcoder", ["I", "'", "LL", " say", " 你好", "。", "世界", " ", "1", "2", "3", "4",
                       "\n\n ", " hiThere", "!!", " don", "'t"]),
        ("falcon", ["I", "'", "LL", " say", " 你好", "。", "世界", " ", "123", "4", "\n\n ",
                    " hiThere", "!!", " don", "'", "t"]),
        ("clip", ["I", "'", "LL", "say", "你好", "。", "世界", "1", "2", "3", "4", "hiThere",
                  "!!", "don", "'t"]),
    ],
)  # fmt: skip
def test_sample_pieces(name: str, expected: list[str]) -> None:
    assert expected == pieces(name, TEXT)
    assert expected == pieces(name, TEXT, "pcre2")


@pytest.mark.parametrize(
    ("name", "same_as"),
    [
        ("p50k_base", "r50k_base"),
        ("p50k_edit", "r50k_base"),
        ("o200k_harmony", "o200k_base"),
        ("llama4", "o200k_base"),
    ],
)
def test_names_that_share_a_pattern(name: str, same_as: str) -> None:
    assert patterns.get(same_as).steps == patterns.get(name).steps


@pytest.mark.parametrize("name", patterns.names())
def test_every_named_pattern_compiles_to_the_automaton_and_to_pcre2(name: str) -> None:
    for step in patterns.get(name).steps:
        assert "automaton" == Splitter(step, "automaton").engine
        assert "pcre2" == Splitter(step, "pcre2").engine


@pytest.mark.parametrize(
    "name", [name for name in patterns.names() if len(patterns.get(name).steps) > 1]
)
def test_several_steps_keep_all_of_the_text(name: str) -> None:
    assert TEXT == "".join(pieces(name, TEXT))
    assert [] == pieces(name, "")


@pytest.mark.parametrize(
    "text",
    ["ABC汉DEF", "Abc汉def", "汉ABC", "ABC汉", "A汉a", "a汉A", "Don't stop", "we're testing",
     "HELLOWorld", "!Hello", "mix汉字andASCII", "A\u0301b"],
)  # fmt: skip
def test_kimi_without_class_intersection_splits_as_upstream(text: str) -> None:
    assert pieces("kimi-upstream", text) == pieces("kimi", text)
    assert pieces("kimi-upstream", text, "pcre2") == pieces("kimi", text, "pcre2")


def test_kimi_upstream_has_eight_alternatives_and_intersections() -> None:
    upstream = patterns.get("kimi-upstream").pattern
    assert 4 == upstream.count("&&[^\\p{Han}]]")
    assert "&&" not in patterns.get("kimi").pattern
    assert r"(?:(?!\p{Han})[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])*" in patterns.get("kimi").pattern
    assert upstream.startswith(r"[\p{Han}]+|")


def test_patterns_equal_those_in_the_files_of_the_models(data_dir: Path) -> None:
    openai = json.loads((data_dir / "tiktoken" / "encodings.json").read_text())
    for name in ("r50k_base", "p50k_base", "p50k_edit", "cl100k_base", "o200k_base"):
        assert openai[name]["pat_str"] == patterns.get(name).pattern

    def splits(model: str) -> list[str]:
        contents = json.loads(read_data(data_dir / "hf" / model / "tokenizer.json"))
        steps = contents["pre_tokenizer"]["pretokenizers"]
        return [step["pattern"]["Regex"] for step in steps if step["type"] == "Split"]

    assert splits("qwen3") == list(patterns.get("qwen2").steps)
    assert splits("clip-vit-base") == list(patterns.get("clip").steps)
    assert splits("falcon") == [patterns.get("falcon").steps[-1]]
    tekken = json.loads(read_data(data_dir / "tekken" / "tekken_240911.json"))
    assert tekken["config"]["pattern"] == patterns.get("tekken").pattern


def test_the_ranges_of_deepseek_mean_those_in_its_file(data_dir: Path) -> None:
    contents = json.loads(read_data(data_dir / "hf" / "deepseek-v3" / "tokenizer.json"))
    written = [s["pattern"]["Regex"] for s in contents["pre_tokenizer"]["pretokenizers"][:3]]
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x30000)]))
    for theirs, ours in zip(written, patterns.get("deepseek-v3").steps, strict=True):
        assert Splitter(theirs).split(every) == Splitter(ours).split(every)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownEncodingError, match="llama3") as caught:
        patterns.get("llama9")
    assert "llama9" == caught.value.name


def test_a_pattern_in_several_steps_is_not_one_pattern() -> None:
    with pytest.raises(ValueError, match="3 steps"):
        _ = patterns.get("deepseek-v3").pattern

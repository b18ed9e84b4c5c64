"""tiktoken itself, offline, and the patterns that tokenizers ship with.

tiktoken's own constructors say what an encoding is; only their downloads are replaced by local
files, which must have the hashes that tiktoken expects. Where there is no test data, ctok's
embedded vocabulary is written out and must have these hashes too.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import tiktoken
from tiktoken_ext import openai_public

import reference
from testdata import DATA, read_data

OPENAI = (
    "gpt2",
    "r50k_base",
    "p50k_base",
    "p50k_edit",
    "cl100k_base",
    "o200k_base",
    "o200k_harmony",
)

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"

OTHER_PATTERNS = {
    "llama3": rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}"
    rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}",
    "qwen2": rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}"
    rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}",
    "kimi": rf"[\p{{Han}}]+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTIONS}?"
    rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}",
}


@functools.cache
def patterns() -> dict[str, str]:
    """The patterns that decide splitting, one name for each that is different."""
    openai = {name: definition(name)["pat_str"] for name in ("gpt2", "cl100k_base", "o200k_base")}
    return openai | OTHER_PATTERNS


@functools.cache
def definition(name: str) -> dict[str, Any]:
    """The arguments with which tiktoken makes one of its encodings."""
    with (
        mock.patch.object(openai_public, "load_tiktoken_bpe", _load_tiktoken_bpe),
        mock.patch.object(
            openai_public, "data_gym_to_mergeable_bpe_ranks", lambda **_: _ranks_like_gpt2()
        ),
    ):
        constructor: Callable[[], dict[str, Any]] = openai_public.ENCODING_CONSTRUCTORS[name]
        return constructor()


def _ranks_like_gpt2() -> dict[bytes, int]:
    # The same vocabulary was published in two formats.
    ranks: dict[bytes, int] = definition("r50k_base")["mergeable_ranks"]
    return ranks


@functools.cache
def _load_tiktoken_bpe(url: str, expected_hash: str) -> dict[bytes, int]:
    path = DATA / "tiktoken" / url.rsplit("/", 1)[1]
    contents = read_data(path) if path.exists() else _embedded(path.stem)
    assert hashlib.sha256(contents).hexdigest() == expected_hash, url
    return parse_tiktoken_bpe(contents)


def _embedded(name: str) -> bytes:
    import ctok

    ranks = ctok.get_encoding(name)._mergeable_ranks
    rows = sorted((rank, token) for token, rank in ranks.items())
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in rows)


def parse_tiktoken_bpe(contents: bytes) -> dict[bytes, int]:
    """Lines of base64 and rank."""
    rows = (line.split() for line in contents.splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in rows}


@functools.cache
def tiktoken_encoding(name: str) -> tiktoken.Encoding:
    """tiktoken's encoding of that name."""
    return tiktoken.Encoding(**definition(name))


@functools.cache
def reference_encoding(name: str) -> reference.Tokenizer:
    """The slow tokenizer for one of tiktoken's encodings."""
    args = definition(name)
    return reference.Tokenizer(args["pat_str"], args["mergeable_ranks"], args["special_tokens"])


@functools.cache
def shared_definition(name: str) -> dict[str, Any]:
    """The arguments for an encoding that only the shared data has, such as kimi_k2."""
    row = json.loads((DATA / "tiktoken" / "encodings.json").read_text())[name]
    return {
        "name": name,
        "pat_str": row["pat_str"],
        "mergeable_ranks": parse_tiktoken_bpe(read_data(DATA / "tiktoken" / row["file"])),
        "special_tokens": row["special_tokens"],
    }

"""The vocabularies every peer is loaded from: the same ranks, pattern and ids for all.

Imports next to nothing, as peers.py; convert.py writes the files.
"""

from __future__ import annotations

import binascii

from . import places

FOLDER = f"{places.WORK}/vocabularies"

LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PUBLISHED = {
    "gpt2": (
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+"
        r"| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    ),
    "cl100k_base": LLAMA3_PATTERN,
}
"""Patterns as tokenizer.json files have them, where that is another spelling than tiktoken's. They
mean the same, and peers that know a pattern by its spelling know this one."""

# name -> (name in encodings.json, gigatoken's scheme, quicktok's and toktok's name of it)
SOURCES = {
    "gpt2": ("gpt2", "r50k", None),
    "cl100k_base": ("cl100k_base", "cl100k", "cl100k_base"),
    "o200k_base": ("o200k_base", "o200k", "o200k_base"),
    # The pattern of Llama 3 with the vocabulary of cl100k, which its own one extends.
    "llama3": ("cl100k_base", "cl100k", None),
    "qwen2": ("qwen", "qwen2", "qwen3"),
}
ENCODINGS = tuple(SOURCES)
SERVED = ("cl100k_base", "o200k_base")
"""Those that targets hang on."""


def ranks_path(name: str) -> str:
    return f"{FOLDER}/{name}.tiktoken"


def json_path(name: str) -> str:
    return f"{FOLDER}/{name}.json"


def pattern_path(name: str) -> str:
    return f"{FOLDER}/{name}.pattern"


def specials_path(name: str) -> str:
    return f"{FOLDER}/{name}.specials"


def pattern(name: str) -> str:
    with open(pattern_path(name), encoding="utf-8") as file:  # noqa: PTH123 - no pathlib here
        return file.read()


def published_pattern(name: str) -> str:
    return PUBLISHED.get(name) or pattern(name)


def specials(name: str) -> dict[str, int]:
    with open(specials_path(name), encoding="utf-8") as file:  # noqa: PTH123
        pairs = (line.split() for line in file)
        return {text: int(token_id) for text, token_id in pairs}


def ranks(name: str) -> dict[bytes, int]:
    with open(ranks_path(name), "rb") as file:  # noqa: PTH123
        pairs = (line.split() for line in file if line.strip())
        return {binascii.a2b_base64(token): int(rank) for token, rank in pairs}

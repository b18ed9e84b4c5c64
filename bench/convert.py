"""Writes, per encoding, the files that peers are loaded from: the ``.tiktoken`` ranks, the pattern,
the specials, and a Hugging Face ``tokenizer.json`` for those that read nothing else."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

from . import places, vocabularies

END = "<|endoftext|>"


def prepare() -> None:
    """Does nothing where it was done."""
    source_folder = Path(places.DATA) / "tiktoken"
    Path(vocabularies.FOLDER).mkdir(parents=True, exist_ok=True)
    known = json.loads((source_folder / "encodings.json").read_text(encoding="utf-8"))
    for name, (source, _, _) in vocabularies.SOURCES.items():
        document = Path(vocabularies.json_path(name))
        if document.exists():
            continue
        pattern = vocabularies.LLAMA3_PATTERN if name == "llama3" else known[source]["pat_str"]
        shutil.copyfile(source_folder / known[source]["file"], vocabularies.ranks_path(name))
        Path(vocabularies.pattern_path(name)).write_text(pattern, encoding="utf-8")
        specials = known[source]["special_tokens"] if source == name else {}
        specials = specials or {END: max(vocabularies.ranks(name).values()) + 1}
        lines = [f"{text} {token_id}\n" for text, token_id in specials.items()]
        Path(vocabularies.specials_path(name)).write_text("".join(lines), encoding="utf-8")
        # Last, because it says that all of them are there.
        published = vocabularies.published_pattern(name)
        converted = _hugging_face(vocabularies.ranks(name), published)
        document.write_text(json.dumps(converted), encoding="utf-8")


def _hugging_face(ranks: dict[bytes, int], pattern: str) -> dict[str, object]:
    """The same encoding as a tokenizer.json: bytes written as characters, one merge a token."""
    alphabet = _byte_characters()
    name = {token: "".join(alphabet[byte] for byte in token) for token in ranks}
    halves = (_halves(token, ranks) for token in sorted(ranks, key=ranks.__getitem__))
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"}
    bytewise = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [split | {"invert": False}, bytewise | {"trim_offsets": True}],
        },
        "post_processor": None,
        "decoder": bytewise | {"trim_offsets": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,
            "vocab": {name[token]: rank for token, rank in ranks.items()},
            "merges": [[name[a], name[b]] for a, b in filter(None, halves)],
        },
    }


def _halves(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes] | None:
    """What a token is merged from last: the two parts left when only better ranks merge."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        joined = [a + b for a, b in pairwise(parts)]
        best = min(range(len(joined)), key=lambda i: ranks.get(joined[i], 1 << 32))
        parts[best : best + 2] = [joined[best]]
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _byte_characters() -> list[str]:
    """The character that stands for each byte in byte-level vocabularies: itself if it can be
    seen, else the next free one from U+0100."""
    seen = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in seen]
    return [chr(byte if byte in seen else 256 + hidden.index(byte)) for byte in range(256)]

"""The encodings that OpenAI published, embedded: no network, no files of yours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .outline import Outline
from .spec import TokenizerSpec

if TYPE_CHECKING:
    from .ranks import PackedRanks

DATA = Path(__file__).parent / "data"
PUBLISHED = "https://openaipublic.blob.core.windows.net/encodings/"

# Rank table -> SHA-256 of the .tiktoken file under PUBLISHED that it was packed from.
TABLES = {
    "r50k_base": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
    "p50k_base": "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"

CL100K = "|".join(
    [
        r"'(?i:[sdmt]|ll|ve|re)",
        r"[^\r\n\p{L}\p{N}]?+\p{L}++",
        r"\p{N}{1,3}+",
        r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
        r"\s++$",
        r"\s*[\r\n]",
        r"\s+(?!\S)",
        r"\s",
    ]
)

UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{SUFFIX}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{SUFFIX}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)

FIM = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")

# Every id from 199998 to 201087 is a special token: these have a name, the others are
# <|reserved_ID|>. 200018 has both; it decodes to its name, which therefore comes first.
HARMONY = {
    "<|startoftext|>": 199998,
    "<|endoftext|>": 199999,
    "<|return|>": 200002,
    "<|constrain|>": 200003,
    "<|channel|>": 200005,
    "<|start|>": 200006,
    "<|end|>": 200007,
    "<|message|>": 200008,
    "<|call|>": 200012,
}
HARMONY_IDS = range(199998, 201088)


def _harmony_specials() -> dict[str, int]:
    named = set(HARMONY.values())
    reserved = {f"<|reserved_{i}|>": i for i in HARMONY_IDS if i not in named}
    return HARMONY | {"<|endofprompt|>": 200018} | reserved


@dataclass(frozen=True)
class Published:
    """What one encoding is made of.

    Attributes:
        table: which rank table it has.
        pattern: how it splits text.
        specials: its special tokens, made when asked for.
        n_vocab: the size that its publisher promises, if any.
    """

    table: str
    pattern: str
    specials: Callable[[], dict[str, int]] = field(repr=False)
    n_vocab: int | None = None


ENCODINGS = {
    "gpt2": Published("r50k_base", GPT2, lambda: {"<|endoftext|>": 50256}, 50257),
    "r50k_base": Published("r50k_base", GPT2, lambda: {"<|endoftext|>": 50256}, 50257),
    "p50k_base": Published("p50k_base", GPT2, lambda: {"<|endoftext|>": 50256}, 50281),
    "p50k_edit": Published(
        "p50k_base",
        GPT2,
        lambda: {"<|endoftext|>": 50256} | dict(zip(FIM, range(50281, 50284), strict=True)),
    ),
    "cl100k_base": Published(
        "cl100k_base",
        CL100K,
        lambda: (
            {"<|endoftext|>": 100257, "<|endofprompt|>": 100276}
            | dict(zip(FIM, range(100258, 100261), strict=True))
        ),
    ),
    "o200k_base": Published(
        "o200k_base", O200K, lambda: {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}
    ),
    "o200k_harmony": Published("o200k_base", O200K, _harmony_specials),
}


def spec(name: str) -> TokenizerSpec:
    """Everything that decides the ids of a published encoding.

    Args:
        name: one of ENCODINGS.

    >>> from ctok import openai
    >>> openai.spec("gpt2")  # doctest: +ELLIPSIS
    TokenizerSpec(name='gpt2', tokens=<TokenTable of 256 tokens>, pattern=...
    """
    published = ENCODINGS[name]
    table = read_table(published.table)
    return TokenizerSpec(
        name=name,
        tokens=table.tokens,
        merges=table.merges,
        pattern=published.pattern,
        specials=published.specials(),
        explicit_n_vocab=published.n_vocab,
    )


def outline(name: str) -> Outline:
    """The same, but for the tables.

    Args:
        name: one of ENCODINGS.
    """
    published = ENCODINGS[name]
    return Outline(
        name=name,
        pattern=published.pattern,
        specials=published.specials(),
        whole_piece=True,
        explicit_n_vocab=published.n_vocab,
        allow_duplicate_ids=False,
        tables=TABLES[published.table],
        read=partial(spec, name),
    )


ENCODING_CONSTRUCTORS: dict[str, Callable[[], TokenizerSpec]] = {
    name: partial(spec, name) for name in ENCODINGS
}


def published_file(url: str, sha256: str | None) -> bytes | None:
    """The .tiktoken file that a URL or a hash means, made from the embedded table, or None.

    Args:
        url: where it is published.
        sha256: of its contents; if given it alone decides.
    """
    for name, known in TABLES.items():
        if sha256 == known or (sha256 is None and url == f"{PUBLISHED}{name}.tiktoken"):
            from .ranks import to_tiktoken

            return to_tiktoken(read_table(name))
    return None


def read_table(name: str) -> PackedRanks:
    """One of TABLES, from its embedded file."""
    # Imported here because `import ctok` should cost little and hashlib alone costs 3 ms.
    from . import ranks

    return ranks.read(DATA / f"{name}.ranks")

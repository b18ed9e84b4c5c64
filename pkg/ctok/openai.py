"""The encodings that OpenAI published, embedded: no network, no files of yours."""

from __future__ import annotations

from .outline import Outline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .packed import Tables
    from .ranks import PackedRanks
    from .spec import TokenizerSpec

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


# Name -> its rank table, how it splits text, its special tokens (made when asked for), and the
# size that its publisher promises, if any.
ENCODINGS: dict[str, tuple[str, str, Callable[[], dict[str, int]], int | None]] = {
    "gpt2": ("r50k_base", GPT2, lambda: {"<|endoftext|>": 50256}, 50257),
    "r50k_base": ("r50k_base", GPT2, lambda: {"<|endoftext|>": 50256}, 50257),
    "p50k_base": ("p50k_base", GPT2, lambda: {"<|endoftext|>": 50256}, 50281),
    "p50k_edit": (
        "p50k_base",
        GPT2,
        lambda: {"<|endoftext|>": 50256} | dict(zip(FIM, range(50281, 50284), strict=True)),
        None,
    ),
    "cl100k_base": (
        "cl100k_base",
        CL100K,
        lambda: (
            {"<|endoftext|>": 100257, "<|endofprompt|>": 100276}
            | dict(zip(FIM, range(100258, 100261), strict=True))
        ),
        None,
    ),
    "o200k_base": (
        "o200k_base",
        O200K,
        lambda: {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
        None,
    ),
    "o200k_harmony": ("o200k_base", O200K, _harmony_specials, None),
}


def spec(name: str) -> TokenizerSpec:
    """Everything that decides the ids of a published encoding.

    Args:
        name: one of ENCODINGS.

    >>> from ctok import openai
    >>> openai.spec("gpt2")  # doctest: +ELLIPSIS
    TokenizerSpec(name='gpt2', tokens=<TokenTable of 256 tokens>, pattern=...
    """
    from .spec import TokenizerSpec

    table, pattern, specials, n_vocab = ENCODINGS[name]
    ranks = read_table(table)
    return TokenizerSpec(
        name=name,
        tokens=ranks.tokens,
        merges=ranks.merges,
        pattern=pattern,
        specials=specials(),
        explicit_n_vocab=n_vocab,
    )


def outline(name: str) -> Outline:
    """The same, but for the tables.

    Args:
        name: one of ENCODINGS.
    """
    table, pattern, specials, n_vocab = ENCODINGS[name]
    return Outline(
        name,
        pattern,
        specials(),
        explicit_n_vocab=n_vocab,
        tables_id=TABLES[table],
        read_tables=lambda: _read_tables(table),
        read=_reader(name),
    )


def _reader(name: str) -> Callable[[], TokenizerSpec]:
    return lambda: spec(name)


def _read_tables(table: str) -> Tables:
    from . import packed

    return packed.read_embedded(table)[0]


ENCODING_CONSTRUCTORS = {name: _reader(name) for name in ENCODINGS}


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
    from . import ranks

    return ranks.read(ranks.DATA / f"{name}.ranks")
